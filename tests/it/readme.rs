//! The README's transcripts: each command is run, and must print what stands there.

use crate::twostep::Project;
use std::path::Path;
use std::process::Command;

/// A command of the README, with what it prints.
pub struct Transcript {
    /// Where it stands.
    pub line: usize,
    /// The command.
    pub command: String,
    /// What it prints.
    pub output: String,
}

/// The commands of the fences that open like this.
pub fn transcripts(text: &str, fence: &str) -> Vec<Transcript> {
    let mut found: Vec<Transcript> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == fence;
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            found.push(Transcript { line: number + 1, command: command.to_owned(), output: String::new() });
        } else if inside && let Some(last) = found.last_mut() {
            last.output.push_str(line);
            last.output.push('\n');
        }
    }
    found
}

/// `…` in the README stands for a part of a line that is never the same.
pub fn is_like(line: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut open = false;
    for part in parts {
        open = part.is_empty();
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || open
}

/// Copies the files of a folder of the project into one of a user's.
pub fn copy(from: &Path, project: &Project, below: &str) {
    for entry in std::fs::read_dir(from).expect("the sample is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        project.write(&format!("{below}/{name}"), std::fs::read(&path).expect("it can be read"));
    }
}

#[test]
fn transcripts_are_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README is there");
    let project = Project::new();
    copy(&root.join("migrations"), &project, "migrations");
    for folder in ["seeds", "fixtures/lint", "fixtures/adopt", "fixtures/formats/sqlx"] {
        copy(&root.join(folder), &project, folder);
    }
    project.write("twostep.toml", std::fs::read(root.join("twostep.toml")).expect("the file is there"));
    let all = transcripts(&readme, "```console");
    assert!(all.len() >= 6, "the README has lost its transcripts");
    for transcript in all {
        if let Some((database, file)) =
            transcript.command.strip_prefix("sqlite3 ").and_then(|rest| rest.split_once(" < "))
        {
            let script = std::fs::File::open(project.path(file)).expect("the README names a fixture");
            let shell = Command::new("sqlite3").arg(project.path(database)).stdin(script).output();
            let printed = shell.expect("sqlite3 is installed");
            assert!(printed.status.success() && printed.stdout.is_empty(), "{printed:?}");
            continue;
        }
        let words = transcript.command.strip_prefix("cargo run --locked -- ");
        let words = words.or_else(|| transcript.command.strip_prefix("twostep "));
        let words: Vec<&str> =
            words.unwrap_or_else(|| panic!("line {}: not ours", transcript.line)).split(' ').collect();
        let outcome = project.twostep(&words).env("TWOSTEP_LOG", "text").run();
        let printed = format!("{}{}", outcome.stdout, outcome.stderr);
        let printed: Vec<&str> = printed.trim_end().lines().collect();
        let wanted: Vec<&str> = transcript.output.trim_end().lines().collect();
        let same = printed.len() == wanted.len()
            && printed.iter().zip(&wanted).all(|(line, like)| is_like(line, like));
        assert!(
            same,
            "README.md:{}: `{}` prints\n{}\nand not\n{}",
            transcript.line,
            transcript.command,
            printed.join("\n"),
            wanted.join("\n")
        );
    }
}

#[test]
fn patterns() {
    assert!(is_like("a in 12 ms", "a in … ms"));
    assert!(is_like("applied 2026-11-21 12:00", "applied 2026-…"));
    assert!(!is_like("b in 12 ms", "a in … ms"));
    assert!(!is_like("a in 12 ms (x)", "a in … ms"));
}
