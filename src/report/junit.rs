//! A JUnit report, which most CI systems show: a test case for each finding, failed where it fails the run.

use super::{Findings, Item, Look, Output};
use crate::text::deceives;
use std::fmt::Write as _;

/// The output.
pub static OUTPUT: Output = Output { id: "junit", title: "a JUnit report, for CI systems", write };

fn write(findings: &Findings, look: Look) -> String {
    let fails = |item: &Item| look.fail_on.is_some_and(|least| item.finding.severity >= least);
    let failures = findings.items.iter().filter(|item| fails(item)).count();
    let tests = findings.items.len().max(1);
    let counts = format!("name=\"twostep lint\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\"");
    let mut out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n");
    let _ = writeln!(out, "  <testsuite {counts}>");
    for item in &findings.items {
        out.push_str(&case(item, fails(item)));
    }
    if findings.items.is_empty() {
        out.push_str("    <testcase classname=\"twostep lint\" name=\"nothing found\"/>\n");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn case(item: &Item, fails: bool) -> String {
    let finding = &item.finding;
    let name = format!("{}:{} {}", finding.start.line, finding.start.column, finding.rule.id);
    let file = escaped(&item.file);
    let line = finding.start.line;
    let mut out =
        format!("    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{line}\">\n");
    let text = escaped(&super::prose(finding));
    if fails {
        let (severity, message) = (finding.severity, escaped(&finding.message));
        let _ = writeln!(out, "      <failure type=\"{severity}\" message=\"{message}\">{text}</failure>");
    } else {
        let _ = writeln!(out, "      <system-out>{}: {text}</system-out>", finding.severity);
    }
    out.push_str("    </testcase>\n");
    out
}

/// Text for XML 1.0, which has no room for control characters (<https://www.w3.org/TR/xml/#charsets>): they, and what
/// turns the direction of a text, are shown by their numbers.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other if deceives(other) => out.extend(other.escape_unicode()),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_xml() {
        assert_eq!(
            escaped("a<b> & \"c\"\n\u{1b}\u{202e}"),
            "a&lt;b&gt; &amp; &quot;c&quot;&#10;\\u{1b}\\u{202e}"
        );
    }
}
