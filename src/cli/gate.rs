//! What is said of the look before a release is said to be live alone.

use crate::cli::exit::Exit;
use crate::cli::printer::{Report, visible};
use crate::compat::gate::Answer;
use crate::db::evidence::gate::Seen;

/// Why the release cannot be said to be live alone.
pub fn refused(seen: &Seen, release: &str) -> Option<Report> {
    if seen.worst() != Answer::Yes {
        return None;
    }
    let mut report = Report::new(
        Exit::Findings,
        format!(
            "release {} is not the only one that is live: its contracts would break others",
            visible(release)
        ),
    );
    for reply in [&seen.sessions, &seen.calls] {
        if reply.answer == Answer::Yes {
            report = reply.why.iter().fold(report, |report, why| report.why(visible(why)));
        }
    }
    Some(
        report
            .state("nothing changed; contracts stay held")
            .help("wait until they are gone, and run the same again")
            .help("if nobody needs what the contracts take away all the same: --anyway REASON"),
    )
}

/// What could not be told, one sentence each.
pub fn doubts(seen: &Seen) -> Vec<String> {
    let parts =
        [("older releases are connected", &seen.sessions), ("what breaks is still called", &seen.calls)];
    let doubtful = parts.into_iter().filter(|(_, reply)| reply.answer == Answer::CannotTell);
    doubtful
        .map(|(what, reply)| format!("whether {what} cannot be told: {}", visible(&reply.why.join("; "))))
        .collect()
}
