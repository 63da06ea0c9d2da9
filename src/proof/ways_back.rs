//! From each stage back to the start and forward again: every catalog on the way is the one that was there, and so are
//! the rows that old code wrote meanwhile.

use super::judge::Judge;
use super::reference::{Reference, snapshot};
use super::snapshot::Snapshot;
use super::verdict::{Outcome, Point};
use super::workload;
use super::world::{Refused, down, up};
use crate::roundtrip::apply::Applier;
use crate::roundtrip::run::RoundtripError;
use crate::schema::catalog::Catalog;
use crate::schema::catalog::diff::diff;

/// What a way has come to so far.
#[derive(Default)]
struct Way {
    why: Vec<String>,
    diff: String,
}

impl Way {
    fn outcome(self) -> Outcome {
        let Self { why, diff } = self;
        if why.is_empty() { Outcome::Holds } else { Outcome::Fails { why, diff } }
    }
}

/// Where the downs have led.
enum Back {
    /// To the start.
    Start,
    /// Nowhere: a migration says that there is no way.
    NoWay(String),
    /// A down is refused: the part, and the server's words.
    Refused(usize, String),
}

impl Judge<'_> {
    pub(super) async fn ways_back(&mut self, reference: &Reference) -> Result<(), RoundtripError> {
        let (first, count) = (self.deploy.first_steps(), self.world.parts.len());
        for stage in 1..=count {
            let claim = format!("{} it can be taken back, and applied again", self.stage_name(stage));
            let mut applier = self.world.at(stage).await?;
            self.reads(&mut applier, stage, reference).await;
            let writes = stage <= first;
            if writes {
                let _ = workload::send(applier.session(), &reference.codes.old.writes).await;
            }
            let outcome = self.back_and_forth(&mut applier, stage, writes.then_some(reference)).await?;
            self.check(Point::Back, claim, outcome);
            self.world.bench.remove(applier).await?;
        }
        Ok(())
    }

    async fn back_and_forth(
        &mut self,
        applier: &mut Applier,
        stage: usize,
        written: Option<&Reference>,
    ) -> Result<Outcome, RoundtripError> {
        let mut way = Way::default();
        match self.back(applier, stage, &mut way).await? {
            Back::Start => {}
            Back::NoWay(why) => return Ok(Outcome::NotAsked(why)),
            Back::Refused(part, words) => {
                let first = self.deploy.first_steps();
                if stage > first && part < first && way.why.is_empty() {
                    return self.without_rows(stage, part, &words).await;
                }
                way.why.push(format!("the down of {}: {words}", self.world.parts[part].label));
                return Ok(way.outcome());
            }
        }
        if let Some(reference) = written {
            let now = snapshot(applier).await?;
            let lost = self.lost(reference, &now);
            if !lost.is_empty() {
                way.why.push("what old code wrote meanwhile is not there as it was written".to_owned());
                way.diff.push_str(&lost);
            }
        }
        self.forth(applier, &mut way).await?;
        Ok(way.outcome())
    }

    /// What old code wrote and is not there `now`, behind all downs; empty where nothing is lost.
    fn lost(&mut self, reference: &Reference, now: &Snapshot) -> String {
        let Reference { old_rows, migrated_rows, unlike, .. } = reference;
        let mut out = String::new();
        for one in old_rows.differences(now, unlike) {
            // What fills a NULL leaves no trace by which a down could tell it from a value that was given.
            if old_rows.is_only_filled(now, migrated_rows, &one.table, unlike) {
                self.note(format!(
                    "{}: a NULL that the migration fills stays filled when it is taken back",
                    one.table
                ));
            } else {
                out.push_str(&one.lines());
            }
        }
        out
    }

    /// Runs the downs of the parts up to `stage`, and compares what each leaves.
    async fn back(
        &mut self,
        applier: &mut Applier,
        stage: usize,
        way: &mut Way,
    ) -> Result<Back, RoundtripError> {
        for part in (0..stage).rev() {
            let ready = &self.world.parts[part];
            let label = &ready.label;
            match down(applier, ready).await {
                Ok(true) => {}
                Ok(false) => return Ok(Back::NoWay(format!("{label} says that there is no way back"))),
                Err(Refused(words)) => return Ok(Back::Refused(part, words)),
            }
            let catalog = self.world.bench.catalog(applier).await?;
            let before = self.with_kept_labels(&proved_as(&self.catalogs[part], &catalog), &catalog);
            let found = diff(&before, &catalog);
            let behind = format!("after the down of {label}");
            let now = self.significant(&found, &format!("before {label}"), &behind, &behind);
            if !now.is_empty() {
                way.why.push(format!("the down of {label} does not lead back to where it began"));
                way.diff.push_str(&now);
            }
        }
        Ok(Back::Start)
    }

    /// Applies all parts again.
    async fn forth(&mut self, applier: &mut Applier, way: &mut Way) -> Result<(), RoundtripError> {
        for ready in self.world.parts {
            if let Err(Refused(words)) = up(applier, ready).await {
                way.why.push(format!("a second time, {} is refused: {words}", ready.label));
                return Ok(());
            }
        }
        let catalog = self.world.bench.catalog(applier).await?;
        let end = self.catalogs.last().cloned().unwrap_or_default();
        let now = self.significant(&diff(&end, &catalog), "applied once", "applied again", "applied again");
        if !now.is_empty() {
            way.why.push("applied again, it does not end as it did".to_owned());
            way.diff.push_str(&now);
        }
        Ok(())
    }

    /// The way back from behind the contract once more, where the down of a first step was refused: what the contract
    /// took away (a dropped column's values) its own down cannot give back, and the first step's down may ask for it.
    /// That is the rows' doing and nothing else if the same way is open where the tables have none.
    async fn without_rows(
        &mut self,
        stage: usize,
        part: usize,
        words: &str,
    ) -> Result<Outcome, RoundtripError> {
        let mut applier = self.world.at(stage).await?;
        let emptied = self.empty(&mut applier).await?;
        let mut way = Way::default();
        if let Err(why) = emptied {
            way.why.push(format!("the down of {}: {words}", self.world.parts[part].label));
            way.why.push(format!("whether it is the rows' doing cannot be asked: {why}"));
        } else {
            match self.back(&mut applier, stage, &mut way).await? {
                Back::Start => self.forth(&mut applier, &mut way).await?,
                Back::NoWay(why) => way.why.push(why),
                Back::Refused(part, words) => {
                    let label = &self.world.parts[part].label;
                    way.why.push(format!("without rows too, the down of {label}: {words}"));
                }
            }
            let label = &self.world.parts[part].label;
            self.note(format!(
                "behind the contract, the down of {label} is refused until the values that the contract took away \
                 are filled in again (proved without rows): {words}"
            ));
        }
        self.world.bench.remove(applier).await?;
        Ok(way.outcome())
    }

    /// Deletes the rows of what the deploy changes; the server's words where it does not.
    async fn empty(&mut self, applier: &mut Applier) -> Result<Result<(), String>, RoundtripError> {
        let tables = self.tables(applier).await?;
        let mut refused = Ok(());
        // Those that others refer to are free once the others are empty.
        for _ in &tables {
            refused = Ok(());
            for table in tables.iter().rev() {
                if let Err(error) = applier.session().run(&format!("DELETE FROM {}", table.name)).await {
                    refused = Err(format!("{}: {error}", table.name));
                }
            }
            if refused.is_ok() {
                break;
            }
        }
        Ok(refused)
    }
}

/// `before`, in which those constraints are proved that were not, and are in `after`: nothing makes a constraint
/// unproved again, and none is the worse for being proved. One that was proved before has to be so after.
fn proved_as(before: &Catalog, after: &Catalog) -> Catalog {
    let mut before = before.clone();
    for (key, object) in &mut before.objects {
        let Some(now) = after.objects.get(key) else { continue };
        for part in &mut object.parts {
            if let Some(proved) = part.strip_suffix(" NOT VALID")
                && now.parts.iter().any(|part| part == proved)
            {
                *part = proved.to_owned();
            }
        }
    }
    before
}
