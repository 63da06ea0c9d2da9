//! JUnit's XML, which every CI shows: a test case for each migration, one for the chain and one for the seeds.

use super::{Look, Output, chain_sentence, shortened};
use crate::roundtrip::verdict::{Findings, Judgement, Verdict};
use std::fmt::Write as _;
use std::time::Duration;

/// The output.
pub static OUTPUT: Output = Output { id: "junit", title: "JUnit's XML, for CI", write };

fn write(findings: &Findings, _: Look) -> String {
    let mut cases = String::new();
    for judged in &findings.migrations {
        migration(judged, &mut cases);
    }
    let mut tests = findings.migrations.len();
    let mut skipped = findings.migrations.iter().filter(|judged| is_skipped(judged)).count();
    if let Some(chain) = &findings.chain {
        tests += 1;
        let mut detail = chain.problems.join("\n");
        detail.push_str(&format!("\n{}", shortened(&chain.diff)));
        let outcome = match (&chain.allowed, chain.problems.is_empty()) {
            (_, true) => Outcome::Passed,
            (Some(why), false) => Outcome::Skipped(why.clone()),
            (None, false) => Outcome::Failed(chain_sentence(chain), detail),
        };
        skipped += usize::from(matches!(outcome, Outcome::Skipped(_)));
        case("all in a row", Duration::ZERO, &outcome, &mut cases);
    }
    for seed in &findings.seeds {
        tests += 1;
        case("seeds", Duration::ZERO, &Outcome::Failed(seed.clone(), String::new()), &mut cases);
    }
    let failures = findings.failures();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites>\n<testsuite name=\"twostep roundtrip\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" \
         skipped=\"{skipped}\" time=\"{:.3}\">\n{cases}</testsuite>\n</testsuites>\n",
        findings.duration.as_secs_f64()
    )
}

enum Outcome {
    Passed,
    Skipped(String),
    Failed(String, String),
}

fn is_skipped(judged: &Judgement) -> bool {
    judged.allowed.is_some() || judged.verdict == Verdict::Irreversible
}

fn migration(judged: &Judgement, out: &mut String) {
    let title = judged.verdict.title();
    let outcome = if let Some(why) = &judged.allowed {
        Outcome::Skipped(format!("{title}; known: {why}"))
    } else if is_skipped(judged) {
        Outcome::Skipped(format!("{title}: {}", judged.notes.join("; ")))
    } else if judged.verdict.is_failure() {
        let lines: Vec<&str> = judged.notes.iter().chain(&judged.rows).map(String::as_str).collect();
        let detail = format!("{}\n{}\n{}", judged.path, lines.join("\n"), shortened(&judged.diff));
        Outcome::Failed(title.to_owned(), detail)
    } else {
        Outcome::Passed
    };
    case(&judged.label, judged.duration, &outcome, out);
}

fn case(name: &str, duration: Duration, outcome: &Outcome, out: &mut String) {
    let name = escaped(name);
    let seconds = duration.as_secs_f64();
    let _ = write!(out, "<testcase classname=\"roundtrip\" name=\"{name}\" time=\"{seconds:.3}\">");
    match outcome {
        Outcome::Passed => {}
        Outcome::Skipped(why) => {
            let _ = write!(out, "<skipped message=\"{}\"/>", escaped(why));
        }
        Outcome::Failed(message, detail) => {
            let (message, detail) = (escaped(message), escaped(detail.trim()));
            let _ = write!(out, "<failure message=\"{message}\">{detail}</failure>");
        }
    }
    out.push_str("</testcase>\n");
}

/// `text` as XML; characters that XML 1.0 cannot hold are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
