//! The CI files of docs/ci, action.yml and the hook of pre-commit: each command in them runs, and does what it is for.

use std::fs;
use std::path::Path;

use crate::lint_command::project;
use crate::twostep::{Project, Run};

const DROP: &str = "alter table users drop column email;\n";

/// A clone whose branch adds a migration that breaks something.
fn branch() -> Project {
    let project = project(&[("migrations/1_a.up.sql", "drop table old;\n")]);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"];
        let all: Vec<&str> = who.iter().chain(arguments).copied().collect();
        Run::new("git", &project.path(""), &all).run().expect(0);
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    project.write("migrations/2_b.up.sql", DROP);
    project
}

/// `command` in a shell, where `twostep` is the built one.
fn shell(project: &Project, command: &str) -> Run {
    let bin = Path::new(env!("CARGO_BIN_EXE_twostep")).parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let run = Run::new("bash", &project.path(""), &["-c", command]).env("PATH", format!("{bin}:{path}"));
    run.env("TWOSTEP_LOG", "text").env("TWOSTEP_LINT_ENGINE", "postgres").env("GITHUB_BASE_REF", "main")
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn commands_of_the_examples_run() {
    let project = branch();
    let mut count = 0;
    for entry in fs::read_dir(repository().join("docs/ci")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().map(|line| line.trim_start().trim_start_matches("- "));
        for line in
            lines.map(|line| line.trim_start_matches("run: ")).filter(|line| line.starts_with("twostep "))
        {
            count += 1;
            let code = i32::from(!line.contains("--fail-on never"));
            let run = shell(&project, line).env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main");
            let outcome = run.run();
            assert_eq!(outcome.code(), code, "{}: `{line}`: {outcome:?}", path.display());
        }
    }
    assert!(count >= 5, "only {count} commands in docs/ci");
    for file in ["twostep.sarif", "gl-code-quality-report.json"] {
        let value: serde_json::Value = serde_json::from_str(&project.read(file)).unwrap();
        assert!(value.to_string().contains("drop-column"), "{value}");
    }
    assert!(
        project.read("junit.xml").contains("drop-column")
            && project.read("comment.md").contains("drop-column")
    );
}

#[test]
fn the_action_passes_its_inputs_on() {
    let project = branch();
    let script = format!("'{}'", repository().join("scripts/lint-action").display());
    let new = shell(&project, &script).run().expect(1).stdout;
    assert!(
        new.contains("::error file=migrations/2_b.up.sql,line=1") && !new.contains("1_a.up.sql"),
        "{new}"
    );
    let all = shell(&project, &script).env("LINT_SINCE", "all").run().expect(1).stdout;
    assert!(all.contains("::error file=migrations/1_a.up.sql"), "{all}");
    let run = shell(&project, &script).env("LINT_FAIL_ON", "never").env("LINT_FORMAT", "sarif");
    let run =
        run.env("LINT_OUTPUT", "out.sarif").env("LINT_PATHS", "migrations/2_b.up.sql migrations/1_a.up.sql");
    let printed = run.env("LINT_SERVER_VERSION", "14").env("LINT_ENGINE", "pg").run().expect(0).stdout;
    assert_eq!(printed, project.read("out.sarif"));
    let wrong = shell(&project, &script).env("LINT_PATHS", "nowhere").run().expect(2);
    assert!(wrong.stderr.contains("there is no file or folder `nowhere`"), "{}", wrong.stderr);
    // Each variable of the script is an input of the action.
    let action = fs::read_to_string(repository().join("action.yml")).unwrap();
    let text = fs::read_to_string(repository().join("scripts/lint-action")).unwrap();
    let is_end = |c: char| !(c.is_ascii_uppercase() || c == '_');
    for name in text
        .split("LINT_")
        .skip(1)
        .filter_map(|rest| rest.split(is_end).next())
        .filter(|name| !name.is_empty())
    {
        let input = name.to_lowercase().replace('_', "-");
        assert!(action.contains(&format!("LINT_{name}: ${{{{ inputs.{input} }}}}")), "LINT_{name}");
        assert!(action.contains(&format!("\n  {input}:\n    description: ")), "{input}");
    }
}

#[test]
fn the_hook_is_a_command_that_there_is() {
    let hooks = fs::read_to_string(repository().join(".pre-commit-hooks.yaml")).unwrap();
    let entry = hooks.lines().find_map(|line| line.trim().strip_prefix("entry: ")).unwrap();
    let example = fs::read_to_string(repository().join("docs/ci/pre-commit-config.yaml")).unwrap();
    let id = hooks.lines().find_map(|line| line.strip_prefix("- id: ")).unwrap();
    assert!(example.contains(&format!("- id: {id}\n")));
    let outcome = shell(&branch(), &format!("{entry} migrations/2_b.up.sql")).run().expect(1);
    assert!(outcome.stdout.starts_with("error[drop-column]"), "{}", outcome.stdout);
}
