//! Which files are new or other than at a revision, as git says.

use super::exit::Exit;
use super::printer::Report;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The files below `folder` that were added or changed since the work on this branch left `revision`, with what is not
/// committed yet; paths below the folder, with `/` between their parts.
pub fn changed_files(folder: &Path, revision: &str) -> Result<BTreeSet<String>, Report> {
    // A revision that begins with a dash would be an option.
    let base = git(folder, &["merge-base", "--end-of-options", revision, "HEAD"])
        .map_err(|why| no_revision(revision, &why))?;
    let base = base.trim();
    let failed = |why: String| no_revision(revision, &why);
    let diff = ["diff", "--name-only", "--relative", "-z", "--diff-filter=d", base, "--", "."];
    let changed = git(folder, &diff).map_err(failed)?;
    let others = ["ls-files", "--others", "--exclude-standard", "-z", "--", "."];
    let new = git(folder, &others).map_err(failed)?;
    Ok(changed
        .split('\0')
        .chain(new.split('\0'))
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect())
}

fn no_revision(revision: &str, why: &str) -> Report {
    Report::new(Exit::Usage, format!("git cannot tell what is new since `{revision}`"))
        .why(why.to_owned())
        .state("nothing was judged, nothing changed")
        .help("in CI, fetch the branch that is merged into and its history: `git fetch --unshallow origin main`")
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    let output = output.map_err(|error| format!("git cannot be started: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.lines().next().unwrap_or("it gives no reason").to_owned());
    }
    String::from_utf8(output.stdout).map_err(|_| "a file's name is not valid UTF-8".to_owned())
}
