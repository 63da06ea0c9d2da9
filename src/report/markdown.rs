//! A comment for a pull request: a table of what was found, and what to do, folded away.

use super::{Findings, Item, Look, Output};
use std::fmt::Write as _;

/// The output.
pub static OUTPUT: Output = Output { id: "markdown", title: "a comment for a pull request", write };

/// By this line a job finds its comment again, to write it anew.
const MARK: &str = "<!-- twostep lint -->";

/// Code hosts take no longer comment than 65,536 characters; this much is left for what is not a finding.
const BYTES_MAX: usize = 60_000;

fn write(findings: &Findings, _: Look) -> String {
    let mut out = format!("{MARK}\n### twostep lint: {}\n", findings.headline());
    if findings.items.is_empty() {
        return out;
    }
    out.push_str("\n| | where | what |\n|---|---|---|\n");
    let rows = findings.items.iter().map(row);
    let shown = append(&mut out, rows, BYTES_MAX / 2);
    if shown < findings.items.len() {
        let _ = writeln!(out, "\n…and {} more.", findings.items.len() - shown);
    }
    append(&mut out, findings.items.iter().map(details), BYTES_MAX);
    super::honest(&out)
}

/// Appends parts as long as `out` stays below `bytes_max`, and gives how many.
fn append(out: &mut String, parts: impl Iterator<Item = String>, bytes_max: usize) -> usize {
    let mut count = 0;
    for part in parts {
        if out.len() + part.len() > bytes_max {
            break;
        }
        out.push_str(&part);
        count += 1;
    }
    count
}

fn row(item: &Item) -> String {
    let finding = &item.finding;
    let place = format!("{}:{}", item.file, finding.start.line);
    let message = inline(&finding.message).replace('|', "\\|");
    format!("| {} | {} | {message} (`{}`) |\n", finding.severity, code(&place), finding.rule.id)
}

fn details(item: &Item) -> String {
    let finding = &item.finding;
    let place = format!("{}:{}", item.file, finding.start.line);
    let mut out = format!("\n<details><summary>{} {}: ", html(&place), finding.rule.id);
    let _ = writeln!(out, "{}</summary>\n", html(&finding.message));
    out.push_str(&fenced(finding.span.of(&item.text)));
    let _ = writeln!(out, "\n{}", inline(&finding.why));
    for help in &finding.help {
        out.push('\n');
        if help.trim_end().ends_with(';') {
            out.push_str(&fenced(help));
        } else {
            let _ = writeln!(out, "{}", inline(help));
        }
    }
    if let Some(proposal) = &finding.proposal {
        let _ = write!(out, "\nIn two steps:\n\n{}", fenced(&proposal.text()));
    }
    out.push_str("\n</details>\n");
    out
}

/// SQL between fences that it cannot close.
fn fenced(sql: &str) -> String {
    let mut fence = "```".to_owned();
    while sql.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}sql\n{}\n{fence}\n", sql.trim_end())
}

/// `text` as code, in one line.
fn code(text: &str) -> String {
    format!("`{}`", text.replace(['`', '\n', '\r'], " ").replace('|', "\\|"))
}

/// Prose in one line. What stands between backticks is code and is left as it is.
fn inline(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = line.split('`').enumerate().map(|(number, part)| {
        if number % 2 == 0 { html(part).replace('@', "&#64;") } else { part.to_owned() }
    });
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |line, part| format!("{line}`{part}"))
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_its_place() {
        assert_eq!(inline("a <b>\n`x < y` @all"), "a &lt;b&gt; `x < y` &#64;all");
        assert_eq!(fenced("select '```';\n"), "````sql\nselect '```';\n````\n");
        assert_eq!(code("a`|\nb"), "`a \\| b`");
    }

    #[test]
    fn a_comment_has_an_end() {
        let mut out = String::new();
        assert_eq!(append(&mut out, std::iter::repeat_n("ab".to_owned(), 9), 7), 3);
        assert_eq!(out, "ababab");
    }
}
