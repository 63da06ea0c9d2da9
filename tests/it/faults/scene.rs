//! A command on an engine, from a known state of a database to a known end.

use crate::twostep::{Outcome, Project, Run};

/// A database in the state before a scene's command. It is dropped with the value.
pub struct Place<'s> {
    /// Its URL, with the rights of an administrator.
    pub url: String,
    /// Its name on the server, or its file.
    pub name: String,
    remove: Option<Box<dyn FnOnce() + 's>>,
}

impl<'s> Place<'s> {
    /// A database that `remove` takes away.
    pub fn new(url: String, name: String, remove: impl FnOnce() + 's) -> Place<'s> {
        Place { url, name, remove: Some(Box::new(remove)) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(remove) = self.remove.take() {
            remove();
        }
    }
}

/// Names and texts of migrations.
pub type Migrations = &'static [(&'static str, &'static str)];

/// The files of the scenes where each begins with few commands.
pub struct Files {
    /// What `migrate` applies and `rollback` takes back.
    pub migrations: Migrations,
    /// How far `rollback` goes.
    pub back_to: &'static str,
    /// What there is before the contract.
    pub expanded: Migrations,
    /// The contract.
    pub contract: (&'static str, &'static str),
    /// What there is before the backfill: rows enough for several chunks.
    pub unfilled: (&'static str, &'static str),
    /// The backfill.
    pub backfill: (&'static str, &'static str),
}

impl Files {
    /// Brings a database to where `command` begins, by the commands that `on` runs there; the command's arguments.
    pub fn begin(&self, command: &str, project: &Project, on: impl Fn(&[&str])) -> Vec<&'static str> {
        match command {
            "migrate" => {
                project.write_migrations(self.migrations);
                vec!["migrate"]
            }
            "rollback" => {
                project.write_migrations(self.migrations);
                on(&["migrate"]);
                vec!["rollback", "--to", self.back_to]
            }
            "contract" => {
                project.write_migrations(self.expanded);
                on(&["migrate"]);
                on(&["release", "confirm", "--release", "r1"]);
                project.write_migrations(&[self.contract]);
                vec!["migrate"]
            }
            "backfill" => {
                project.write_migrations(&[self.unfilled]);
                on(&["migrate"]);
                project.write_migrations(&[self.backfill]);
                vec!["backfill"]
            }
            other => panic!("no scene {other}"),
        }
    }
}

/// A command from a state to an end.
pub struct Scene<'s> {
    /// The engine, for people.
    pub engine: &'static str,
    /// What the command is for, for people: `migrate`, `rollback`, `backfill`, `contract`.
    pub command: &'static str,
    /// The files.
    pub project: Project,
    /// What is run.
    pub arguments: Vec<&'static str>,
    /// Gives a new database in the state before.
    pub fresh: Box<dyn Fn(&Project) -> Place<'s> + 's>,
    /// What is in a database: objects, rows, the history without times and run numbers; and what a run may leave
    /// behind: locks, sessions, half-done statements.
    pub state: Box<dyn Fn(&str) -> String + 's>,
    before: String,
    wanted: String,
}

impl<'s> Scene<'s> {
    /// A scene, with its command run once undisturbed to know its end.
    pub fn new(
        engine: &'static str,
        command: &'static str,
        arguments: &[&'static str],
        project: Project,
        fresh: impl Fn(&Project) -> Place<'s> + 's,
        state: impl Fn(&str) -> String + 's,
    ) -> Scene<'s> {
        let mut scene = Scene {
            engine,
            command,
            project,
            arguments: arguments.to_vec(),
            fresh: Box::new(fresh),
            state: Box::new(state),
            before: String::new(),
            wanted: String::new(),
        };
        let place = scene.place();
        scene.before = (scene.state)(&place.name);
        scene.run(&place.url).run().expect(0);
        scene.wanted = (scene.state)(&place.name);
        assert_ne!(scene.before, scene.wanted, "{engine}, {command} does something");
        scene
    }

    /// What an undisturbed run leaves.
    pub fn wanted(&self) -> &str {
        &self.wanted
    }

    /// A new database in the state before.
    pub fn place(&self) -> Place<'s> {
        (self.fresh)(&self.project)
    }

    /// The command, on a URL.
    pub fn run(&self, url: &str) -> Run {
        self.project.on(url, &self.arguments)
    }

    /// What there is to know of a database now.
    pub fn state_of(&self, place: &Place<'_>) -> String {
        (self.state)(&place.name)
    }

    /// The exit code of a disturbed run says what is true.
    pub fn is_honest(&self, place: &Place<'_>, disturbed: &Outcome, what: &str) {
        let (code, said) = (disturbed.code(), &disturbed.stderr);
        assert!([0, 3, 4, 5, 7, 9].contains(&code), "{what}: exit {code}\n{said}");
        if code == 0 {
            self.is_at_its_end(place, what, said);
        } else if [3, 5, 9].contains(&code) {
            assert_eq!(self.state_of(place), self.before, "{what}: exit {code} says nothing changed\n{said}");
        }
    }

    /// Everything is as it is after an undisturbed run.
    pub fn is_at_its_end(&self, place: &Place<'_>, what: &str, said: &str) {
        let state = self.state_of(place);
        if state != self.wanted {
            let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
            let (is, wanted) = (lines(&state), lines(&self.wanted));
            let only = |these: &[String], those: &[String]| {
                these.iter().filter(|line| !those.contains(line)).cloned().collect::<Vec<_>>().join("\n  ")
            };
            panic!(
                "{}, {}, {what}: another end\n- missing\n  {}\n- too much\n  {}\n{said}",
                self.engine,
                self.command,
                only(&wanted, &is),
                only(&is, &wanted)
            );
        }
    }

    /// The same command once more brings the database to its end.
    pub fn completes(&self, place: &Place<'_>, what: &str, earlier: &str) {
        let again = self.run(&place.url).run();
        let said = format!("-- before\n{earlier}\n-- again\n{}", again.stderr);
        assert_eq!(again.code(), 0, "{}, {}, {what}, run again:\n{said}", self.engine, self.command);
        self.is_at_its_end(place, what, &said);
    }
}
