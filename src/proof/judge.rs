//! One deploy after the other: what it is compared with, each of its stages, the ways back, and the code in between.

use super::deploy::Deploy;
use super::locks;
use super::snapshot::{ColumnPlace, Snapshot};
use super::verdict::{Check, Outcome, Point, Proof};
use super::workload::{self, Code, Workload};
use super::world::{Refused, Rows, World, down, up, up_looked_at};
use crate::db::scratch::Place;
use crate::db::session::Session;
use crate::engine::{self, version::ServerVersion};
use crate::roundtrip::apply::Applier;
use crate::roundtrip::bench::{Bench, Ready};
use crate::roundtrip::fill::tables::{self, Table};
use crate::roundtrip::run::{Options, RoundtripError, prelude, ready_one};
use crate::run::script::ScriptOptions;
use crate::schema::catalog::Catalog;
use crate::schema::catalog::diff::{CatalogDiff, diff};
use crate::schema::model::Schema;
use std::collections::BTreeSet;
use std::time::Instant;

/// Queries that code is known to send.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Those of the running code.
    pub old: Vec<String>,
    /// Those of the code that is deployed.
    pub new: Vec<String>,
}

/// Proves `deploy` on databases of `place`: the server's name, and what came of it. Its format is `format`.
pub async fn prove(
    place: &mut Place,
    deploy: &Deploy,
    known: &Known,
    format: &str,
    server: Option<ServerVersion>,
    options: &Options,
) -> Result<(String, Proof), RoundtripError> {
    let started = Instant::now();
    let dialect = place.dialect();
    let how = ScriptOptions { dialect, native: format == "twostep" };
    let earlier: Vec<Ready<'_>> = deploy.earlier.iter().map(|one| ready_one(one, how)).collect();
    let parts: Vec<Ready<'_>> = deploy.parts.iter().map(|one| ready_one(one, how)).collect();
    // The plain migration may have been read as another format's.
    let plain_how = ScriptOptions { dialect, native: true };
    let plain = deploy.plain.as_ref().map(|one| ready_one(one, plain_how));
    let bench = Bench::new(place, options, prelude(options, dialect)?);
    let proof = Proof {
        label: deploy.label.clone(),
        files: deploy.parts.iter().map(|part| part.up.path.clone()).collect(),
        ..Proof::default()
    };
    let mut judge = Judge {
        world: World::new(bench, &earlier, &parts),
        deploy,
        plain: plain.as_ref(),
        known,
        proof,
        catalogs: Vec::new(),
        touched: BTreeSet::new(),
        server,
        version: String::new(),
    };
    judge.all().await?;
    judge.proof.checks.sort_by_key(|check| check.point);
    judge.proof.duration = started.elapsed();
    Ok((judge.version, judge.proof))
}

struct Judge<'a> {
    world: World<'a>,
    deploy: &'a Deploy,
    plain: Option<&'a Ready<'a>>,
    known: &'a Known,
    proof: Proof,
    /// What there is after each stage, the first before the deploy.
    catalogs: Vec<Catalog>,
    /// The names of what the deploy changes, without quotes.
    touched: BTreeSet<String>,
    server: Option<ServerVersion>,
    /// The server's product and version.
    version: String,
}

/// What the end of the deploy is compared with.
struct Reference {
    catalog: Option<Catalog>,
    /// What each read gives before the deploy, and at the end.
    old_before: Answers,
    old_after: Answers,
    new_before: Answers,
    new_after: Answers,
    old: Workload,
    new: Workload,
    common: Vec<String>,
    /// Rows where old code has written before the deploy and the new one behind it.
    rows: Snapshot,
    /// The same where old code has written behind it too, if it could.
    late_rows: Option<Snapshot>,
    /// Rows where old code has written and there is no deploy.
    old_rows: Snapshot,
    /// What the clock or chance fills.
    unlike: BTreeSet<ColumnPlace>,
}

type Answers = Vec<Result<Vec<String>, String>>;

impl<'a> Judge<'a> {
    async fn all(&mut self) -> Result<(), RoundtripError> {
        if !self.choose_rows().await? {
            return Ok(());
        }
        self.stages().await?;
        if self.catalogs.len() <= self.world.parts.len() {
            return Ok(());
        }
        let reference = self.reference().await?;
        self.end(&reference);
        self.writes(&reference).await?;
        self.ways_back(&reference).await
    }

    fn check(&mut self, point: Point, claim: impl Into<String>, outcome: Outcome) {
        self.proof.checks.push(Check { point, claim: claim.into(), outcome });
    }

    fn held(&mut self, point: Point, claim: impl Into<String>, why: Vec<String>, diff: String) {
        let holds = why.is_empty() && diff.is_empty();
        let outcome = if holds { Outcome::Holds } else { Outcome::Fails { why, diff } };
        self.check(point, claim, outcome);
    }

    fn stage_name(&self, stage: usize) -> String {
        match stage.checked_sub(1) {
            None => "before the deploy".to_owned(),
            Some(part) => format!("after {}", self.world.parts[part].label),
        }
    }

    /// The most rows with which the deploy can be applied at all.
    async fn choose_rows(&mut self) -> Result<bool, RoundtripError> {
        let mut why = None;
        for rows in [Rows::Sparse, Rows::Full, Rows::None] {
            self.world.begin(rows).await?;
            let mut applier = self.world.at(0).await?;
            let mut refused = None;
            for ready in self.world.parts {
                if let Err(Refused(words)) = up(&mut applier, ready).await {
                    refused = Some(format!("{} is refused: {words}", ready.label));
                    break;
                }
            }
            self.world.bench.remove(applier).await?;
            match refused {
                None => {
                    if let Some(why) = why {
                        let left = match rows {
                            Rows::Full => "rows without a NULL",
                            Rows::None | Rows::Sparse => "no rows",
                        };
                        self.proof.notes.push(format!("proved with {left}: with others {why}"));
                    }
                    return Ok(true);
                }
                Some(refused) => why = Some(refused),
            }
        }
        let why = why.into_iter().collect();
        self.held(Point::Works, "each step can be applied", why, String::new());
        Ok(false)
    }

    /// Applies one part after the other, and looks at what each does.
    async fn stages(&mut self) -> Result<(), RoundtripError> {
        let mut applier = self.world.at(0).await?;
        self.catalogs.push(self.world.bench.catalog(&mut applier).await?);
        let filled = Snapshot::take(applier.session()).await.map_err(RoundtripError::Database)?;
        let identity = applier.session().identity().await.map_err(RoundtripError::Database)?;
        self.version = identity.version;
        let dialect = applier.url().dialect();
        let look = engine::held_query(dialect);
        let (mut blocking, mut looked) = (Vec::new(), BTreeSet::new());
        let mut stars = Vec::new();
        for (number, ready) in self.world.parts.iter().enumerate() {
            let mut watching = self.world.client(&applier).await?;
            let prepared = self.prepare_stars(&mut applier, &mut *watching).await?;
            let looks = match up_looked_at(&mut applier, ready, look).await {
                Ok(looks) => looks,
                Err(Refused(why)) => {
                    let claim = format!("{} can be applied", ready.label);
                    self.held(Point::Works, claim, vec![why], String::new());
                    return Ok(());
                }
            };
            self.stars(&mut *watching, number, &prepared, &mut stars).await;
            watching.close().await;
            let is_filled = |table: &str| filled.holds(table);
            blocking.extend(locks::measured(&looks, &ready.migration.up.path, &is_filled));
            if filled.count() > 0 {
                looked.extend(looks.iter().map(|look| (number, look.line)));
            }
            self.catalogs.push(self.world.bench.catalog(&mut applier).await?);
            if number + 1 == self.world.parts.len() {
                self.world.bench.remove(applier).await?;
                let kept = self.world.at(number).await?;
                return self.finish_stages(kept, number, blocking, looked, stars).await;
            }
            self.world.keep(applier).await?;
            applier = self.world.at(number + 1).await?;
        }
        self.world.bench.remove(applier).await
    }

    /// The last stage is applied anew, so that it can be copied too.
    async fn finish_stages(
        &mut self,
        mut applier: Applier,
        last: usize,
        blocking: Vec<String>,
        looked: BTreeSet<(usize, usize)>,
        stars: Vec<String>,
    ) -> Result<(), RoundtripError> {
        let dialect = applier.url().dialect();
        if let Err(Refused(why)) = up(&mut applier, &self.world.parts[last]).await {
            self.held(Point::Works, "the last step can be applied to a copy", vec![why], String::new());
            return Ok(());
        }
        self.world.keep(applier).await?;
        let server = self.server.unwrap_or_else(|| ServerVersion::usual(dialect));
        let is_looked_into = |part: usize, line: usize| looked.contains(&(part, line));
        let mut why = blocking;
        why.extend(locks::known(
            &self.deploy.earlier,
            &self.deploy.parts,
            Schema::new(dialect),
            server,
            &is_looked_into,
        ));
        self.held(Point::Locks, "no statement looks at rows while reads or writes wait", why, String::new());
        if engine::breaks_prepared_shapes(dialect) {
            self.held(
                Point::Works,
                "prepared `SELECT *` fails where it is foreseen, and nowhere else",
                stars,
                String::new(),
            );
        }
        for pair in self.catalogs.windows(2) {
            let changed = diff(&pair[0], &pair[1]);
            self.touched.extend(changed.objects.keys().map(|key| key.name.replace('"', "")));
        }
        Ok(())
    }

    /// Prepares `SELECT *` from each table that is there now, as code holds it; the names of those tables.
    async fn prepare_stars(
        &mut self,
        applier: &mut Applier,
        client: &mut dyn Session,
    ) -> Result<Vec<String>, RoundtripError> {
        if !engine::breaks_prepared_shapes(applier.url().dialect()) {
            return Ok(Vec::new());
        }
        let journal = self.world.bench.options.journal.clone();
        let all = tables::read(applier.session(), &journal).await.map_err(RoundtripError::Database)?;
        let mut names = Vec::new();
        for (number, table) in all.iter().enumerate() {
            let sql =
                format!("PREPARE star_{number} AS SELECT * FROM {0}; EXECUTE star_{number}", table.name);
            // A view of it may come to have this name, or it may be gone.
            if client.query(&sql).await.is_ok() {
                names.push(table.name.clone());
            } else {
                names.push(String::new());
            }
        }
        Ok(names)
    }

    /// Which of the prepared statements fail now, beside those that the model foresees.
    async fn stars(
        &mut self,
        client: &mut dyn Session,
        part: usize,
        prepared: &[String],
        wrong: &mut Vec<String>,
    ) {
        if prepared.is_empty() {
            return;
        }
        let dialect = client.dialect();
        let (before, after) = self.schemas(part, dialect);
        let mut fails = Vec::new();
        for (number, table) in prepared.iter().enumerate().filter(|(_, table)| !table.is_empty()) {
            let found = client.query(&format!("EXECUTE star_{number}")).await;
            let sql = format!("SELECT * FROM {table}");
            let query = crate::compat::matrix::Prepared::new(&sql, dialect);
            let stage = crate::compat::matrix::Stage { label: String::new(), schema: after.clone() };
            let judged = crate::compat::matrix::matrix(&[query], &before, &[stage]);
            let foreseen = judged.worst() > crate::compat::judge::Verdict::NotCertain;
            let label = &self.world.parts[part].label;
            match (found, foreseen) {
                (Ok(_), false) => {}
                (Err(_), true) => fails.push(table.replace('"', "")),
                (Err(error), false) => wrong.push(format!("after {label}, `{sql}`: {error}; not foreseen")),
                (Ok(_), true) => {
                    wrong.push(format!(
                        "after {label}, `{sql}` works, although it was foreseen that it fails"
                    ));
                }
            }
        }
        if !fails.is_empty() {
            let label = &self.world.parts[part].label;
            self.proof.notes.push(format!(
                "prepared statements that return all columns of {} fail once after {label}",
                fails.join(", ")
            ));
        }
    }

    /// What the model knows before and after a part.
    fn schemas(&self, part: usize, dialect: crate::dialect::Dialect) -> (Schema, Schema) {
        let scripts = |count: usize| {
            self.deploy.earlier.iter().chain(&self.deploy.parts[..count]).map(|migration| &migration.up)
        };
        let before = crate::analysis::analyze(scripts(part), Schema::new(dialect)).end;
        let after = crate::analysis::analyze(scripts(part + 1), Schema::new(dialect)).end;
        (before, after)
    }

    /// The tables that the deploy changes.
    async fn tables(&self, applier: &mut Applier) -> Result<Vec<Table>, RoundtripError> {
        let journal = self.world.bench.options.journal.clone();
        let mut all = tables::read(applier.session(), &journal).await.map_err(RoundtripError::Database)?;
        all.retain(|table| {
            let name = table.name.replace(['"', '`'], "");
            let bare = name.rsplit_once('.').map_or(name.as_str(), |(_, bare)| bare);
            self.touched.contains(&name) || self.touched.contains(bare)
        });
        Ok(all)
    }

    /// What the deploy is compared with, by the plain migration where it can be applied, else by the deploy itself on a
    /// database on which nobody works meanwhile.
    async fn reference(&mut self) -> Result<Reference, RoundtripError> {
        let plain = self.plain_steps().await?;
        let steps: Vec<&Ready<'_>> =
            plain.as_ref().map_or_else(|| self.world.parts.iter().collect(), |plain| vec![*plain]);
        let mut reference = self.record(&steps).await?;
        // What code reads.
        let mut applier = self.world.at(0).await?;
        reference.old_before = answers(applier.session(), &reference.old.reads).await;
        reference.new_before = answers(applier.session(), &reference.new.reads).await;
        apply(&mut applier, &steps).await?;
        if plain.is_some() {
            reference.catalog = Some(self.world.bench.catalog(&mut applier).await?);
        }
        reference.old_after = answers(applier.session(), &reference.old.reads).await;
        reference.new_after = answers(applier.session(), &reference.new.reads).await;
        // What old code can still write behind it may as well have been written there.
        let mut late = Vec::new();
        for sql in &reference.old.writes {
            late.push(applier.session().run(sql).await.is_ok());
        }
        self.world.bench.remove(applier).await?;
        if late.contains(&true) {
            let (early, late) = split(&reference.old.writes, &late);
            let mut applier = self.world.at(0).await?;
            let _ = workload::send(applier.session(), &early).await;
            if apply(&mut applier, &steps).await.is_ok() {
                for writes in [&late, &reference.new.writes, &reference.common] {
                    let _ = workload::send(applier.session(), writes).await;
                }
                reference.late_rows = Some(snapshot(&mut applier).await?);
            }
            self.world.bench.remove(applier).await?;
        }
        // What it leaves: twice, to know what chance fills.
        let mut runs = Vec::new();
        for _ in 0..2 {
            let mut applier = self.world.at(0).await?;
            let _ = workload::send(applier.session(), &reference.old.writes).await;
            reference.old_rows = snapshot(&mut applier).await?;
            apply(&mut applier, &steps).await?;
            let _ = workload::send(applier.session(), &reference.new.writes).await;
            let _ = workload::send(applier.session(), &reference.common).await;
            runs.push(snapshot(&mut applier).await?);
            self.world.bench.remove(applier).await?;
        }
        reference.unlike = runs[0].columns_unlike(&runs[1]);
        reference.rows = runs.swap_remove(0);
        Ok(reference)
    }

    /// The plain migration, where it can be applied to these rows.
    async fn plain_steps(&mut self) -> Result<Option<&'a Ready<'a>>, RoundtripError> {
        let Some(plain) = self.plain else {
            if !self.deploy.is_as_it_stands() {
                let why = "which plain migration it stands for is not said: `-- twostep: stands-for NAME`, or --plain FILE";
                self.check(
                    Point::Same,
                    "it ends as the plain migration does",
                    Outcome::NotAsked(why.to_owned()),
                );
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
        let done = up(&mut applier, plain).await;
        match done {
            Err(Refused(why)) => {
                self.held(Point::Same, "the plain migration can be applied", vec![why], String::new());
            }
            Ok(()) => {
                let catalog = self.world.bench.catalog(&mut applier).await?;
                self.compare_end(&catalog);
            }
        }
        self.world.bench.remove(applier).await?;
        // The stages with their rows again.
        self.world.begin(rows).await?;
        for ready in self.world.parts {
            let stage = self.world.parts.iter().position(|other| std::ptr::eq(other, ready)).unwrap_or(0);
            let mut applier = self.world.at(stage).await?;
            apply(&mut applier, &[ready]).await?;
            self.world.keep(applier).await?;
        }
        Ok(())
    }

    /// What old and new code send, tried where each is at home.
    async fn record(&mut self, steps: &[&Ready<'_>]) -> Result<Reference, RoundtripError> {
        let database = RoundtripError::Database;
        let mut applier = self.world.at(0).await?;
        let dialect = applier.url().dialect();
        let old_tables = self.tables(&mut applier).await?;
        let all = workload::record(applier.session(), &old_tables, Code::Old).await.map_err(database)?;
        self.world.bench.remove(applier).await?;
        let inserts: Vec<String> = all.iter().filter(|sql| sql.starts_with("INSERT")).cloned().collect();
        let mut chosen = None;
        for writes in [all, inserts, Vec::new()] {
            let mut applier = self.world.at(0).await?;
            let _ = workload::send(applier.session(), &writes).await;
            if apply(&mut applier, steps).await.is_ok() {
                chosen = Some((applier, writes));
                break;
            }
            self.world.bench.remove(applier).await?;
        }
        let Some((mut applier, writes)) = chosen else {
            return Err(RoundtripError::UpFails {
                migration: self.proof.label.clone(),
                why: "it was applied once and is refused the second time".to_owned(),
            });
        };
        let new_tables = self.tables(&mut applier).await?;
        let new_writes =
            workload::record(applier.session(), &new_tables, Code::New).await.map_err(database)?;
        let common = workload::record_common(applier.session(), &old_tables, &new_tables).await;
        let common = common.map_err(database)?;
        self.world.bench.remove(applier).await?;
        Ok(Reference {
            catalog: None,
            old_before: Vec::new(),
            old_after: Vec::new(),
            new_before: Vec::new(),
            new_after: Vec::new(),
            old: Workload { reads: workload::reads(&old_tables, dialect), writes },
            new: Workload { reads: workload::reads(&new_tables, dialect), writes: new_writes },
            common,
            rows: Snapshot::default(),
            late_rows: None,
            old_rows: Snapshot::default(),
            unlike: BTreeSet::new(),
        })
    }

    fn end(&mut self, reference: &Reference) {
        if let Some(catalog) = reference.catalog.clone() {
            self.compare_end(&catalog);
        }
    }

    fn compare_end(&mut self, plain: &Catalog) {
        let last = self.catalogs.last().cloned().unwrap_or_default();
        let found = diff(plain, &last);
        let text = self.significant(&found, "the plain migration", "the deploy", "at the end");
        self.held(Point::Same, "the catalog is that of the plain migration", Vec::new(), text);
    }

    /// A diff as text; empty where it is none but for the order of columns, which is noted.
    fn significant(&mut self, found: &CatalogDiff, before: &str, after: &str, when: &str) -> String {
        if found.is_column_order_only() {
            let note = format!("{when}, columns stand in another order");
            if !self.proof.notes.contains(&note) {
                self.proof.notes.push(note);
            }
            return String::new();
        }
        found.unified(before, after, 1)
    }

    /// Reads by name at a stage.
    async fn reads(&mut self, applier: &mut Applier, stage: usize, reference: &Reference) {
        let first = self.deploy.first_steps();
        let old = (&reference.old.reads, &reference.old_before, &reference.old_after, &self.known.old);
        let new = (&reference.new.reads, &reference.new_after, &reference.new_before, &self.known.new);
        let codes = [(Code::Old, old, stage > 0 && stage <= first), (Code::New, new, stage >= first)];
        for (code, (reads, right, also_right, queries), asked) in codes {
            let all = reads.len() + queries.len();
            if !asked || all == 0 {
                continue;
            }
            let mut wrong = Vec::new();
            for (number, sql) in reads.iter().enumerate() {
                let (Some(Ok(right)), also) = (right.get(number), also_right.get(number)) else { continue };
                match workload::answer(applier.session(), sql).await {
                    Ok(found) if found == *right || also == Some(&Ok(found.clone())) => {}
                    Ok(_) if is_unlike(sql, &reference.unlike) => {}
                    Ok(found) => wrong.push(format!("`{sql}` gives {found:?}, not {right:?}")),
                    Err(error) => wrong.push(format!("`{sql}`: {error}")),
                }
            }
            wrong.extend(prepare_all(applier.session(), queries).await);
            let claim = format!("{}, {} reads ({all} queries)", self.stage_name(stage), code.title());
            self.held(Point::Works, claim, wrong, String::new());
        }
    }

    /// Old code writes at each stage before the contract, then the new one, then the rest of the deploy: all rows are as
    /// if the old code had written before the plain migration and the new one behind it.
    async fn writes(&mut self, reference: &Reference) -> Result<(), RoundtripError> {
        let (first, count) = (self.deploy.first_steps(), self.world.parts.len());
        let (old, new) = (reference.old.writes.len(), reference.new.writes.len() + reference.common.len());
        if old + new == 0 {
            self.proof.notes.push("nothing could be written to what the deploy changes".to_owned());
        }
        for stage in 0..=first {
            let mut applier = self.world.at(stage).await?;
            let name = self.stage_name(stage);
            if stage == 0 {
                self.reads(&mut applier, stage, reference).await;
            }
            let mut wrong = workload::send(applier.session(), &reference.old.writes).await;
            let stopped = self.go_on(&mut applier, stage, first).await;
            wrong.extend(stopped);
            let said = workload::send(applier.session(), &reference.new.writes).await;
            wrong.extend(said.into_iter().map(|said| format!("new code: {said}")));
            let said = workload::send(applier.session(), &reference.common).await;
            wrong.extend(said.into_iter().map(|said| format!("both: {said}")));
            wrong.extend(self.go_on(&mut applier, first, count).await);
            let claim =
                format!("{name}, old code writes ({old}), then new code ({new}): none fails, none is lost");
            let rows = snapshot(&mut applier).await?;
            let lines = if wrong.is_empty() { self.differences(reference, &rows) } else { String::new() };
            self.held(Point::Works, claim, wrong, lines);
            self.world.bench.remove(applier).await?;
        }
        Ok(())
    }

    /// How `found` differs from what it should be; empty where it does not.
    fn differences(&mut self, reference: &Reference, found: &Snapshot) -> String {
        let mut out = String::new();
        for one in reference.rows.differences(found, &reference.unlike) {
            // What old code writes behind the plain migration, where that is possible, is as right.
            let is_between =
                |late: &Snapshot| found.is_between(&one.table, &reference.rows, late, &reference.unlike);
            if reference.late_rows.as_ref().is_some_and(is_between) {
                let table = &one.table;
                let note = format!(
                    "{table}: what old code writes meanwhile counts as written behind the plain migration"
                );
                if !self.proof.notes.contains(&note) {
                    self.proof.notes.push(note);
                }
                continue;
            }
            if one.is_order_only {
                let note =
                    format!("{}: each column holds the same values, some of them in other rows", one.table);
                if !self.proof.notes.contains(&note) {
                    self.proof.notes.push(note);
                }
                continue;
            }
            out.push_str(&one.lines());
        }
        out
    }

    /// Applies the parts from one stage to another; why it stopped, if it did.
    async fn go_on(&self, applier: &mut Applier, from: usize, to: usize) -> Option<String> {
        for ready in &self.world.parts[from..to] {
            if let Err(Refused(why)) = up(applier, ready).await {
                return Some(format!("{} is refused: {why}", ready.label));
            }
        }
        None
    }

    /// From each stage back to the start and forward again.
    async fn ways_back(&mut self, reference: &Reference) -> Result<(), RoundtripError> {
        let (first, count) = (self.deploy.first_steps(), self.world.parts.len());
        for stage in 1..=count {
            let claim = format!("{} it can be taken back, and applied again", self.stage_name(stage));
            let mut applier = self.world.at(stage).await?;
            self.reads(&mut applier, stage, reference).await;
            let writes = stage <= first;
            if writes {
                let _ = workload::send(applier.session(), &reference.old.writes).await;
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
        rows: Option<&Reference>,
    ) -> Result<Outcome, RoundtripError> {
        let (mut why, mut text) = (Vec::new(), String::new());
        let first = self.deploy.first_steps();
        for part in (0..stage).rev() {
            let ready = &self.world.parts[part];
            match down(applier, ready).await {
                Ok(true) => {}
                Ok(false) => {
                    return Ok(Outcome::NotAsked(format!("{} says that there is no way back", ready.label)));
                }
                // What the contract took away is gone: its own down has made the shape again.
                Err(Refused(words)) if stage > first && part < first && why.is_empty() => {
                    let why = format!(
                        "behind the contract's own down, that of {} meets no values: {words}",
                        ready.label
                    );
                    return Ok(Outcome::NotAsked(why));
                }
                Err(Refused(words)) => {
                    let why = vec![format!("the down of {}: {words}", ready.label)];
                    return Ok(Outcome::Fails { why, diff: text });
                }
            }
            let catalog = self.world.bench.catalog(applier).await?;
            // Nothing makes a constraint unproved again, and none is the worse for being proved.
            let found = diff(&proved(&self.catalogs[part]), &proved(&catalog));
            let label = ready.label.clone();
            let now = self.significant(
                &found,
                &format!("before {label}"),
                &format!("after the down of {label}"),
                &format!("after the down of {label}"),
            );
            if !now.is_empty() {
                why.push(format!("the down of {label} does not lead back to where it began"));
                text.push_str(&now);
            }
        }
        if let Some(reference) = rows {
            let now = snapshot(applier).await?;
            let lost: String = reference
                .old_rows
                .differences(&now, &reference.unlike)
                .iter()
                .map(|one| one.lines())
                .collect();
            if !lost.is_empty() {
                why.push("what old code wrote meanwhile is not there as it was written".to_owned());
                text.push_str(&lost);
            }
        }
        for part in 0..self.world.parts.len() {
            let ready = &self.world.parts[part];
            if let Err(Refused(words)) = up(applier, ready).await {
                why.push(format!("a second time, {} is refused: {words}", ready.label));
                return Ok(Outcome::Fails { why, diff: text });
            }
        }
        let catalog = self.world.bench.catalog(applier).await?;
        let end = self.catalogs.last().cloned().unwrap_or_default();
        let found = diff(&end, &catalog);
        let now = self.significant(&found, "applied once", "applied again", "applied again");
        if !now.is_empty() {
            why.push("applied again, it does not end as it did".to_owned());
            text.push_str(&now);
        }
        Ok(if why.is_empty() { Outcome::Holds } else { Outcome::Fails { why, diff: text } })
    }
}

/// Whether a read is one of a column that chance fills.
fn is_unlike(sql: &str, unlike: &BTreeSet<ColumnPlace>) -> bool {
    let plain = sql.replace(['"', '`'], "");
    unlike
        .iter()
        .any(|(table, column)| plain == format!("SELECT {column} FROM {}", table.replace(['"', '`'], "")))
}

/// A catalog in which all constraints are proved.
fn proved(catalog: &Catalog) -> Catalog {
    let mut catalog = catalog.clone();
    for object in catalog.objects.values_mut() {
        for part in &mut object.parts {
            if let Some(without) = part.strip_suffix(" NOT VALID") {
                *part = without.to_owned();
            }
        }
    }
    catalog
}

/// The writes that go before, and those that go behind.
fn split(writes: &[String], late: &[bool]) -> (Vec<String>, Vec<String>) {
    let pairs = || writes.iter().zip(late);
    let early = pairs().filter(|(_, late)| !**late).map(|(sql, _)| sql.clone()).collect();
    (early, pairs().filter(|(_, late)| **late).map(|(sql, _)| sql.clone()).collect())
}

async fn answers(session: &mut dyn Session, reads: &[String]) -> Answers {
    let mut all = Vec::with_capacity(reads.len());
    for sql in reads {
        all.push(workload::answer(session, sql).await);
    }
    all
}

/// What the server says against queries that code is known to send.
async fn prepare_all(session: &mut dyn Session, queries: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for sql in queries {
        if let Err(error) = session.query(&engine::prepare_sql(sql, session.dialect())).await {
            wrong.push(format!("`{}`: {error}", crate::compat::running::shortened(sql)));
        }
    }
    wrong
}

async fn apply(applier: &mut Applier, steps: &[&Ready<'_>]) -> Result<(), RoundtripError> {
    for ready in steps {
        let refused = |Refused(why)| RoundtripError::UpFails { migration: ready.label.clone(), why };
        up(applier, ready).await.map_err(refused)?;
    }
    Ok(())
}

async fn snapshot(applier: &mut Applier) -> Result<Snapshot, RoundtripError> {
    Snapshot::take(applier.session()).await.map_err(RoundtripError::Database)
}
