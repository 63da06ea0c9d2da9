//! A statement that could not be looked into: what it does is not judged.

use super::prelude::*;

/// The rule.
pub static RULE: Rule = Rule::on_migration(
    "unread-statement",
    Group::Wrong,
    Severity::Note,
    ALL_ENGINES,
    include_str!("unread_statement.md"),
    find,
);

fn find(judged: &Judged<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    // A routine that puts SQL together is often called many times: once says it.
    let mut dynamic: Option<(At, String)> = None;
    let mut more = 0;
    for (number, change) in judged.changes() {
        let ChangeKind::Opaque(opaque) = &change.kind else { continue };
        let at = At::Statement(number, change.span);
        match opaque.reason {
            OpaqueReason::Syntax | OpaqueReason::Client => {}
            OpaqueReason::Unknown => {
                drafts.push(draft("a statement that could not be looked into", &opaque.why, at))
            }
            OpaqueReason::Dynamic if dynamic.is_some() => more += 1,
            OpaqueReason::Dynamic => dynamic = Some((at, opaque.why.clone())),
        }
    }
    if let Some((at, why)) = dynamic {
        let what = match more {
            0 => "SQL that is put together when it runs".to_owned(),
            more => format!("SQL that is put together when it runs, here and in {more} more places"),
        };
        drafts.push(draft(&what, &why, at));
    }
    drafts
}

fn draft(what: &str, why: &str, at: At) -> Draft {
    Draft::new(format!("{what}: what it does is not judged"), why)
        .help("look at it by hand, and say so: `-- twostep: allow unread-statement because …`")
        .at(at)
}
