//! The README's walk through a deploy in two steps of the sample, with old and new code at work all through.

use crate::client::Client;
use crate::readme::{Transcript, copy, is_like, transcripts};
use crate::servers;
use crate::twostep::Project;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The shop, which knows a product's title by some name: it adds products, and changes and finds them again.
struct Shop {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<Vec<String>>,
}

impl Shop {
    fn open(url: &str, release: &'static str, column: &'static str) -> Shop {
        let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted, url) = (Arc::clone(&stop), Arc::clone(&rounds), url.to_owned());
        let thread = std::thread::spawn(move || {
            let mut client = Client::connect(&url, release);
            let mut sold = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let number = format!("{release}-{}", sold.len());
                client.run(&format!(
                    "insert into products (sku, {column}, price_cents) values ('{number}', 'cup {number}', 100)"
                ));
                client.run(&format!("update products set price_cents = 200 where {column} = 'cup {number}'"));
                client.run(&format!("update products set {column} = '{number}b' where sku = '{number}'"));
                let price = client
                    .text(&format!("select price_cents::text from products where {column} = '{number}b'"));
                assert_eq!(price, "200");
                sold.push(format!("{number}b"));
                counted.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(3));
            }
            sold
        });
        Shop { stop, rounds, thread }
    }

    fn sells(&self) {
        let from = self.rounds.load(Ordering::Relaxed);
        crate::wait::until_true("the shop sells", Duration::from_secs(60), || {
            self.rounds.load(Ordering::Relaxed) > from + 5 || self.thread.is_finished()
        });
    }

    fn close(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("no query of the shop fails")
    }
}

/// Runs a command of the README, and compares what it prints; a line `…` stands for any lines.
fn run(project: &Project, url: &str, transcript: &Transcript) {
    let words: Vec<&str> = transcript.command.split(' ').collect();
    let printed = match words.as_slice() {
        ["cat", file] => project.read(file),
        ["twostep", arguments @ ..] => {
            let outcome = project.on(url, arguments).run().expect(0);
            format!("{}{}", outcome.stdout, outcome.stderr)
        }
        _ => panic!("README.md:{}: not ours", transcript.line),
    };
    // The shop is busy: a lock may have to be waited for.
    let mut lines = printed.lines().filter(|line| !line.contains(": waiting for "));
    let mut skips = false;
    for like in transcript.output.lines() {
        if like == "…" {
            skips = true;
            continue;
        }
        let found = if skips {
            lines.any(|line| is_like(line, like))
        } else {
            lines.next().is_some_and(|line| is_like(line, like))
        };
        assert!(found, "README.md:{}: no line `{like}` in\n{printed}", transcript.line);
        skips = false;
    }
    assert!(skips || lines.next().is_none(), "README.md:{}: it prints more:\n{printed}", transcript.line);
}

#[test]
fn a_deploy_in_two_steps() {
    let Some(server) = servers::postgres() else { return };
    let database = server.fresh_database();
    let url = database.url();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = Project::new();
    copy(&root.join("migrations"), &project, "migrations");
    copy(&root.join("seeds"), &project, "seeds");
    project.on(&url, &["migrate", "--release", "r1"]).run().expect(0);
    project.on(&url, &["db", "seed"]).run().expect(0);
    let old_files = Project::new();
    copy(&project.path("migrations"), &old_files, "migrations");
    project.write(
        "migrations/20260301090000_rename_title.up.sql",
        "alter table products rename column title to name;\n",
    );

    let readme = std::fs::read_to_string(root.join("README.md")).expect("the README is there");
    let all = transcripts(&readme, "```console postgres");
    assert_eq!(all.len(), 5, "the README has lost its walk");
    let r1 = Shop::open(&url, "r1", "title");
    r1.sells();
    all[..3].iter().for_each(|transcript| run(&project, &url, transcript));
    let r2 = Shop::open(&url, "r2", "name");
    r1.sells();
    r2.sells();
    let status = project.on(&url, &["status"]).run().expect(0).stdout;
    assert!(status.contains("held"), "{status}");
    let early = project.on(&url, &["release", "confirm", "--release", "r2"]).run().expect(1).stderr;
    assert!(early.contains("called `r1`") && early.contains("contracts stay held"), "{early}");
    let mut sold = r1.close();
    all[3..].iter().for_each(|transcript| run(&project, &url, transcript));
    r2.sells();
    sold.extend(r2.close());

    let found = database.psql("select name from products where name like 'r_-%' order by name collate \"C\"");
    sold.sort_unstable();
    assert_eq!(found.lines().collect::<Vec<_>>(), sold, "all that was sold is there");
    // The release phase of r1, whose code cannot work any more.
    let refused = old_files.on(&url, &["migrate", "--release", "r1"]).run().expect(8).stderr;
    assert!(refused.contains("ahead of these files"), "{refused}");
}
