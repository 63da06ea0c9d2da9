//! What a deploy is compared with: the plain migration where it can be applied, else the deploy itself on a database on
//! which nobody works meanwhile. What code sends there, what it is told, and which rows that leaves.

use super::judge::Judge;
use super::snapshot::{ColumnPlace, Snapshot};
use super::verdict::{Outcome, Point};
use super::workload::{self, Code, Workload};
use super::world::{Refused, Rows, up};
use crate::db::session::Session;
use crate::engine::{self, version::ServerVersion};
use crate::roundtrip::apply::Applier;
use crate::roundtrip::bench::Ready;
use crate::roundtrip::run::RoundtripError;
use crate::schema::model::Schema;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What old and new code send, each statement taken where that code is at home.
pub(super) struct Codes {
    pub(super) old: Workload,
    pub(super) new: Workload,
    /// Writes of all rows by what both know.
    pub(super) common: Vec<String>,
}

pub(super) type Answers = Vec<Result<Vec<String>, String>>;

/// What each read of a code gives on the rows from before the deploy.
pub(super) struct Told {
    /// Before the plain migration.
    pub(super) before: Answers,
    /// Behind it.
    pub(super) after: Answers,
}

/// How long it takes until a clock of seconds shows another one.
const CLOCK: Duration = Duration::from_millis(1_100);

pub(super) struct Reference {
    /// Whether it is that of the plain migration.
    by_plain: bool,
    /// Which of old code's writes are taken behind it.
    pub(super) is_late: Vec<bool>,
    pub(super) codes: Codes,
    pub(super) old_told: Told,
    pub(super) new_told: Told,
    /// Rows where old code has written before the plain migration and new code behind it.
    pub(super) rows: Snapshot,
    /// The same where old code has written behind it what it can write there.
    pub(super) late_rows: Option<Snapshot>,
    /// Rows where old code has written and there is no deploy.
    pub(super) old_rows: Snapshot,
    /// The same behind the plain migration, before new code writes.
    pub(super) migrated_rows: Snapshot,
    /// What the clock or chance fills.
    pub(super) unlike: BTreeSet<ColumnPlace>,
}

impl<'a> Judge<'a> {
    pub(super) async fn reference(&mut self) -> Result<Reference, RoundtripError> {
        let plain = self.plain_steps().await?;
        let steps = self.steps(plain.is_some());
        let codes = self.codes(&steps).await?;

        let mut applier = self.world.at(0).await?;
        let before = [&codes.old, &codes.new].map(|code| &code.reads);
        let (old_before, new_before) =
            (answers(&mut applier, before[0]).await, answers(&mut applier, before[1]).await);
        apply(&mut applier, &steps).await?;
        if plain.is_some() {
            let catalog = self.world.bench.catalog(&mut applier).await?;
            self.compare_end(&catalog);
        }
        let old_told = Told { before: old_before, after: answers(&mut applier, &codes.old.reads).await };
        let new_told = Told { before: new_before, after: answers(&mut applier, &codes.new.reads).await };
        let mut is_late = Vec::new();
        for sql in &codes.old.writes {
            is_late.push(applier.session().run(sql).await.is_ok());
        }
        self.world.bench.remove(applier).await?;

        let late_rows = self.late_rows(&codes, &is_late, &steps).await?;
        // Twice, to know what chance fills.
        let began = Instant::now();
        let [old_rows, migrated_rows, rows] = self.rows_left(&codes, &steps).await?;
        if rows.has_times() {
            // A clock that shows no more than seconds has to show another one.
            tokio::time::sleep(CLOCK.saturating_sub(began.elapsed())).await;
        }
        let [old_again, _, again] = self.rows_left(&codes, &steps).await?;
        let mut unlike = rows.columns_unlike(&again);
        // By the names that they had, too.
        unlike.extend(old_rows.columns_unlike(&old_again));
        Ok(Reference {
            by_plain: plain.is_some(),
            is_late,
            codes,
            old_told,
            new_told,
            rows,
            late_rows,
            old_rows,
            migrated_rows,
            unlike,
        })
    }

    /// The plain migration; or all parts of the deploy in one go.
    fn steps(&self, by_plain: bool) -> Vec<&'a Ready<'a>> {
        match self.plain.filter(|_| by_plain) {
            Some(plain) => vec![plain],
            None => self.world.parts.iter().collect(),
        }
    }

    /// Applies what the deploy is compared with.
    pub(super) async fn apply_reference(
        &self,
        applier: &mut Applier,
        reference: &Reference,
    ) -> Result<(), RoundtripError> {
        apply(applier, &self.steps(reference.by_plain)).await
    }

    /// The plain migration, where it can be applied to these rows.
    async fn plain_steps(&mut self) -> Result<Option<&'a Ready<'a>>, RoundtripError> {
        let Some(plain) = self.plain else {
            if !self.deploy.is_as_it_stands() {
                let why = "which plain migration it stands for is not said: `-- twostep: stands-for NAME`, or --plain FILE";
                let outcome = Outcome::NotAsked(why.to_owned());
                self.check(Point::Same, "it ends as the plain migration does", outcome);
            }
            return Ok(None);
        };
        let mut applier = self.world.at(0).await?;
        let done = up(&mut applier, plain).await;
        self.world.bench.remove(applier).await?;
        let Err(Refused(why)) = done else { return Ok(Some(plain)) };
        let why = format!("with rows in the tables the plain migration is refused: {why}");
        self.check(Point::Same, "the rows are those of the plain migration", Outcome::NotAsked(why));
        self.compare_empty(plain).await?;
        Ok(None)
    }

    /// Compares the catalog with that of a plain migration that no rows may meet.
    async fn compare_empty(&mut self, plain: &Ready<'_>) -> Result<(), RoundtripError> {
        let rows = self.world.rows;
        self.world.begin(Rows::None).await?;
        let mut applier = self.world.at(0).await?;
        match up(&mut applier, plain).await {
            Err(Refused(why)) => {
                let claim = "the plain migration can be applied";
                match self.no_such_statement(plain) {
                    Some(known) => {
                        let why = format!("the engine has no such statement ({known}): {why}");
                        self.check(Point::Same, claim, Outcome::NotAsked(why));
                    }
                    None => self.held(Point::Same, claim, vec![why], String::new()),
                }
            }
            Ok(()) => {
                let catalog = self.world.bench.catalog(&mut applier).await?;
                self.compare_end(&catalog);
            }
        }
        self.world.bench.remove(applier).await?;
        // The stages with their rows again.
        self.world.begin(rows).await?;
        for (stage, ready) in self.world.parts.iter().enumerate() {
            let mut applier = self.world.at(stage).await?;
            apply(&mut applier, &[ready]).await?;
            self.world.keep(applier).await?;
        }
        Ok(())
    }

    /// Why no database of the engine could apply the plain migration, as far as that is certain without one.
    fn no_such_statement(&self, plain: &Ready<'_>) -> Option<String> {
        let dialect = self.world.bench.place.dialect();
        let server = self.server.unwrap_or_else(|| ServerVersion::usual(dialect));
        let scripts = self.deploy.earlier.iter().chain([plain.migration]).map(|migration| &migration.up);
        let analysis = crate::analysis::analyze(scripts, Schema::new(dialect));
        let own = analysis.steps.iter().filter(|step| step.at.migration == self.deploy.earlier.len());
        own.flat_map(|step| &step.changes).find_map(|one| {
            let session = crate::engine::effects::Session::default();
            let effects = engine::effects(&one.change, &one.before, server, session);
            engine::refuses(&one.change, &one.before, &effects)
        })
    }

    /// What old and new code send, tried where each is at home: as many of the old code's writes as `steps` bear.
    async fn codes(&mut self, steps: &[&Ready<'_>]) -> Result<Codes, RoundtripError> {
        let database = RoundtripError::Database;
        let mut applier = self.world.at(0).await?;
        let dialect = applier.url().dialect();
        let old_tables = self.tables(&mut applier).await?;
        let all = workload::record(applier.session(), &old_tables, Code::Old).await.map_err(database)?;
        self.world.bench.remove(applier).await?;
        let inserts: Vec<String> = all.iter().filter(|sql| sql.starts_with("INSERT")).cloned().collect();
        for writes in [all, inserts, Vec::new()] {
            let mut applier = self.world.at(0).await?;
            let _ = workload::send(applier.session(), &writes).await;
            if apply(&mut applier, steps).await.is_err() {
                self.world.bench.remove(applier).await?;
                continue;
            }
            let new_tables = self.tables(&mut applier).await?;
            let new = workload::record(applier.session(), &new_tables, Code::New).await.map_err(database)?;
            let new = self.as_views_take_it(new, &old_tables, &new_tables);
            let common = workload::record_common(applier.session(), &old_tables, &new_tables).await;
            self.world.bench.remove(applier).await?;
            return Ok(Codes {
                old: Workload { reads: workload::reads(&old_tables, dialect), writes },
                new: Workload { reads: workload::reads(&new_tables, dialect), writes: new },
                common: common.map_err(database)?,
            });
        }
        Err(RoundtripError::UpFails {
            migration: self.proof.label.clone(),
            why: "it was applied once and is refused the second time".to_owned(),
        })
    }

    /// Rows where old code's writes come behind `steps` as far as they can: what it writes in the middle of a deploy may
    /// as well have been written there.
    async fn late_rows(
        &mut self,
        codes: &Codes,
        is_late: &[bool],
        steps: &[&Ready<'_>],
    ) -> Result<Option<Snapshot>, RoundtripError> {
        if !is_late.contains(&true) {
            return Ok(None);
        }
        let of = |wanted: bool| -> Vec<String> {
            let pairs = codes.old.writes.iter().zip(is_late);
            pairs.filter(|(_, late)| **late == wanted).map(|(sql, _)| sql.clone()).collect()
        };
        let mut applier = self.world.at(0).await?;
        let _ = workload::send(applier.session(), &of(false)).await;
        let mut rows = None;
        if apply(&mut applier, steps).await.is_ok() {
            let _ = workload::send(applier.session(), &of(true)).await;
            self.new_writes(&mut applier, codes, &[]).await;
            rows = Some(snapshot(&mut applier).await?);
        }
        self.world.bench.remove(applier).await?;
        Ok(rows)
    }

    /// Rows where the first `writes` of old code come before the plain migration, and the others behind it as far as they
    /// can; those that cannot come before it, but new rows only where it `moves` them. None where the migration cannot be
    /// applied then.
    pub(super) async fn rows_in_the_middle(
        &mut self,
        reference: &Reference,
        writes: usize,
        moves: bool,
    ) -> Result<Option<Snapshot>, RoundtripError> {
        let codes = &reference.codes;
        // What is refused behind it has its place before. A new row may have none, so that the others find the rows that
        // they had: that it is there is asked of all rows; a change of a row without a place would be a lost one.
        let of = |wanted: bool| -> Vec<String> {
            let all = codes.old.writes.iter().zip(&reference.is_late).enumerate();
            let stays = |sql: &str, late: bool| late || !moves && adds_rows_only(sql);
            all.filter(|(at, (sql, late))| (*at >= writes && stays(sql, **late)) == wanted)
                .map(|(_, (sql, _))| sql.clone())
                .collect()
        };
        let (early, mut late) = (of(false), of(true));
        if !moves {
            // Behind a row that could not come they would take another one.
            late.retain(|sql| !sql.starts_with("DELETE"));
        }
        let steps = self.steps(reference.by_plain);
        let mut applier = self.world.at(0).await?;
        let _ = workload::send(applier.session(), &early).await;
        let mut rows = None;
        if apply(&mut applier, &steps).await.is_ok() {
            let _ = workload::send(applier.session(), &late).await;
            self.new_writes(&mut applier, codes, &[]).await;
            rows = Some(snapshot(&mut applier).await?);
        }
        self.world.bench.remove(applier).await?;
        Ok(rows)
    }

    /// Rows where old code has written, behind `steps`, and where new code came behind them.
    async fn rows_left(
        &mut self,
        codes: &Codes,
        steps: &[&Ready<'_>],
    ) -> Result<[Snapshot; 3], RoundtripError> {
        let mut applier = self.world.at(0).await?;
        let _ = workload::send(applier.session(), &codes.old.writes).await;
        let old_rows = snapshot(&mut applier).await?;
        apply(&mut applier, steps).await?;
        let migrated_rows = snapshot(&mut applier).await?;
        self.new_writes(&mut applier, codes, &[]).await;
        let rows = snapshot(&mut applier).await?;
        self.world.bench.remove(applier).await?;
        Ok([old_rows, migrated_rows, rows])
    }
}

async fn answers(applier: &mut Applier, reads: &[String]) -> Answers {
    let session: &mut dyn Session = applier.session();
    let mut all = Vec::with_capacity(reads.len());
    for sql in reads {
        all.push(workload::answer(session, sql).await);
    }
    all
}

async fn apply(applier: &mut Applier, steps: &[&Ready<'_>]) -> Result<(), RoundtripError> {
    for ready in steps {
        let refused = |Refused(why)| RoundtripError::UpFails { migration: ready.label.clone(), why };
        up(applier, ready).await.map_err(refused)?;
    }
    Ok(())
}

pub(super) async fn snapshot(applier: &mut Applier) -> Result<Snapshot, RoundtripError> {
    Snapshot::take(applier.session()).await.map_err(RoundtripError::Database)
}

/// Whether a write of ours makes a row and changes none.
fn adds_rows_only(sql: &str) -> bool {
    sql.starts_with("INSERT") && !sql.contains(" ON CONFLICT ") && !sql.contains(" ON DUPLICATE KEY ")
}
