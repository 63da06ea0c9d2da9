//! Whose a scratch database or folder is: its name says it, so that one whose owner is dead is known and removed, and
//! one in use never is.

use sha2::{Digest as _, Sha256};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What every name begins with.
pub(super) const PREFIX: &str = "twostep_scratch_";

/// After this time what another machine has left is taken for dead: nobody here can ask its processes.
const FOREIGN_LIFE: Duration = Duration::from_secs(24 * 3600);

/// A process, so that it is told from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The machine since it was booted, and the process's view of its processes, as eight hexadecimal digits.
    host: String,
    pid: u32,
    /// When the process was started, as eight hexadecimal digits.
    started: String,
    /// When the run began, in seconds since 1970.
    since_s: u64,
}

/// Whether an owner is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// The process runs, or may run.
    Alive,
    /// It is gone.
    Dead,
}

impl Owner {
    /// This process.
    pub fn this_process() -> Self {
        let pid = std::process::id();
        let since_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { host: host(), pid, started: started(pid).unwrap_or_else(|| digits("")), since_s }
    }

    /// The name of its scratch database or folder `number`; at most 63 bytes, a plain identifier on every server.
    pub fn name(&self, number: u32) -> String {
        let Self { host, pid, started, since_s } = self;
        format!("{PREFIX}{since_s:x}_{host}_{pid}_{started}_{number}")
    }

    /// Whose scratch database or folder `name` is; none where it is no name of ours.
    pub fn of(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.split('_');
        let mut next = || parts.next();
        let since_s = u64::from_str_radix(next()?, 16).ok()?;
        let (host, pid, started) = (next()?, next()?.parse().ok()?, next()?);
        let is_digits = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        next()?.parse::<u32>().ok()?;
        let complete = next().is_none() && is_digits(host) && is_digits(started);
        complete.then(|| Self { host: host.to_owned(), pid, started: started.to_owned(), since_s })
    }

    /// Whether it is still there, asked by `asker`.
    pub fn life(&self, asker: &Owner) -> Life {
        let alive = if self.host == asker.host {
            started(self.pid).is_some_and(|started| started == self.started)
        } else {
            asker.since_s.saturating_sub(self.since_s) < FOREIGN_LIFE.as_secs()
        };
        if alive { Life::Alive } else { Life::Dead }
    }
}

fn digits(text: &str) -> String {
    Sha256::digest(text).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The same for all processes that can see each other, another one after the next boot.
fn host() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let name = match read("/proc/sys/kernel/hostname") {
        empty if empty.is_empty() => words_of("uname", &["-n"]).unwrap_or_default(),
        name => name,
    };
    let view = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    digits(&format!("{name}{}{}", read("/proc/sys/kernel/random/boot_id"), view.display()))
}

/// When the process `pid` was started; none where there is none.
fn started(pid: u32) -> Option<String> {
    if std::path::Path::new("/proc/self/stat").exists() {
        // Field 22; the second one, in parentheses, may hold anything
        // (<https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>).
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let start = fields.nth(18)?;
        // One that nobody has waited for is dead.
        return (state != "Z").then(|| digits(start));
    }
    words_of("ps", &["-o", "lstart=", "-p", &pid.to_string()])
        .filter(|words| !words.is_empty())
        .map(|w| digits(&w))
}

fn words_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_owner() {
        let own = Owner::this_process();
        let name = own.name(12);
        assert!(name.len() <= 63, "{name}");
        assert_eq!(Owner::of(&name), Some(own.clone()));
        let (cut_off, _) = name.rsplit_once('_').expect("the number stands behind the last one");
        for wrong in ["twostep_scratch_", "twostep_scratch_shop", "shop", &format!("{name}_copy"), cut_off] {
            assert_eq!(Owner::of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_process_that_is_gone_is_dead() {
        let own = Owner::this_process();
        assert_eq!(own.life(&own), Life::Alive);
        // The same number, given to another process since.
        let earlier = Owner { started: digits("earlier"), ..own.clone() };
        assert_eq!(earlier.life(&own), Life::Dead);
        let mut child = Command::new("true").spawn().unwrap();
        let theirs = Owner { pid: child.id(), ..own.clone() };
        child.wait().unwrap();
        assert_eq!(theirs.life(&own), Life::Dead);
        // Of another machine nobody knows, until it is old.
        let foreign = Owner { host: digits("elsewhere"), ..own.clone() };
        assert_eq!(foreign.life(&own), Life::Alive);
        let old = Owner { since_s: own.since_s - FOREIGN_LIFE.as_secs() - 1, ..foreign };
        assert_eq!(old.life(&own), Life::Dead);
    }
}
