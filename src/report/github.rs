//! Workflow commands of GitHub Actions, which become annotations on the lines of a pull request
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).

use super::{Findings, Item, Look, Output};
use crate::rules::Severity;
use std::fmt::Write as _;

/// The output.
pub static OUTPUT: Output = Output { id: "github", title: "annotations of GitHub Actions", write };

fn write(findings: &Findings, _: Look) -> String {
    let mut out: String = findings.items.iter().map(command).collect();
    let _ = writeln!(out, "{}", findings.headline());
    super::honest(&out)
}

fn command(item: &Item) -> String {
    let finding = &item.finding;
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let (start, end) = (finding.start, finding.end);
    let mut properties = format!("file={},line={},endLine={}", property(&item.file), start.line, end.line);
    // Columns mean something only within one line.
    if start.line == end.line {
        let _ = write!(properties, ",col={},endColumn={}", start.column, end.column);
    }
    let title = property(&format!("twostep: {}", finding.rule.id));
    format!("::{word} {properties},title={title}::{}\n", data(&super::prose(finding)))
}

/// Text behind `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_escaped() {
        assert_eq!(data("100%\r\nx::y"), "100%25%0D%0Ax::y");
        assert_eq!(property("a:b,c%"), "a%3Ab%2Cc%25");
    }
}
