//! One deploy, in order: its stages, what it is compared with, the code in between, the ways back; and what all of them
//! write into the proof.

use super::deploy::Deploy;
use super::snapshot::Snapshot;
use super::until::Until;
use super::verdict::{Check, Outcome, Point, Proof};
use super::world::World;
use crate::db::scratch::Place;
use crate::engine::version::ServerVersion;
use crate::roundtrip::apply::Applier;
use crate::roundtrip::bench::{Bench, Ready};
use crate::roundtrip::fill::tables::{self, Table};
use crate::roundtrip::run::{Options, RoundtripError, prelude, ready_one};
use crate::run::script::ScriptOptions;
use crate::schema::catalog::Catalog;
use crate::schema::catalog::diff::{CatalogDiff, diff};
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
        until: Until::default(),
        middles: None,
        server,
        version: String::new(),
    };
    judge.all().await?;
    judge.proof.checks.sort_by_key(|check| check.point);
    judge.proof.duration = started.elapsed();
    Ok((judge.version, judge.proof))
}

pub(super) struct Judge<'a> {
    pub(super) world: World<'a>,
    pub(super) deploy: &'a Deploy,
    pub(super) plain: Option<&'a Ready<'a>>,
    pub(super) known: &'a Known,
    pub(super) proof: Proof,
    /// What there is after each stage, the first before the deploy.
    pub(super) catalogs: Vec<Catalog>,
    /// The names of what the deploy changes, without quotes.
    pub(super) touched: BTreeSet<String>,
    /// What holds only from the contract on.
    pub(super) until: Until,
    /// Rows where the plain migration comes in the middle of old code's writes, once they were asked for.
    pub(super) middles: Option<Vec<Snapshot>>,
    pub(super) server: Option<ServerVersion>,
    /// The server's product and version.
    pub(super) version: String,
}

impl Judge<'_> {
    async fn all(&mut self) -> Result<(), RoundtripError> {
        if !self.choose_rows().await? || !self.stages().await? {
            return Ok(());
        }
        self.look_until();
        let reference = self.reference().await?;
        self.writes(&reference).await?;
        self.ways_back(&reference).await
    }

    pub(super) fn check(&mut self, point: Point, claim: impl Into<String>, outcome: Outcome) {
        self.proof.checks.push(Check { point, claim: claim.into(), outcome });
    }

    /// A claim that holds where there is nothing against it.
    pub(super) fn held(&mut self, point: Point, claim: impl Into<String>, why: Vec<String>, diff: String) {
        let holds = why.is_empty() && diff.is_empty();
        let outcome = if holds { Outcome::Holds } else { Outcome::Fails { why, diff } };
        self.check(point, claim, outcome);
    }

    /// What has to be known beside the claims, once.
    pub(super) fn note(&mut self, note: String) {
        if !self.proof.notes.contains(&note) {
            self.proof.notes.push(note);
        }
    }

    pub(super) fn stage_name(&self, stage: usize) -> String {
        match stage.checked_sub(1) {
            None => "before the deploy".to_owned(),
            Some(part) => format!("after {}", self.world.parts[part].label),
        }
    }

    /// The tables that the deploy changes.
    pub(super) async fn tables(&self, applier: &mut Applier) -> Result<Vec<Table>, RoundtripError> {
        let mut all = self.all_tables(applier).await?;
        all.retain(|table| {
            let name = table.name.replace(['"', '`'], "");
            let bare = name.rsplit_once('.').map_or(name.as_str(), |(_, bare)| bare);
            self.touched.contains(&name) || self.touched.contains(bare)
        });
        Ok(all)
    }

    pub(super) async fn all_tables(&self, applier: &mut Applier) -> Result<Vec<Table>, RoundtripError> {
        let journal = self.world.bench.options.journal.clone();
        tables::read(applier.session(), &journal).await.map_err(RoundtripError::Database)
    }

    /// Compares what the deploy ends with and what the plain migration does.
    pub(super) fn compare_end(&mut self, plain: &Catalog) {
        let last = self.catalogs.last().cloned().unwrap_or_default();
        let plain = self.with_kept_labels(plain, &last);
        let found = diff(&plain, &last);
        let text = self.significant(&found, "the plain migration", "the deploy", "at the end");
        self.held(Point::Same, "the catalog is that of the plain migration", Vec::new(), text);
    }

    /// `wanted` with the labels of enums that `found` has beside its own: no statement takes one away, so that a deploy
    /// cannot either.
    pub(super) fn with_kept_labels(&mut self, wanted: &Catalog, found: &Catalog) -> Catalog {
        let mut wanted = wanted.clone();
        let mut kept = Vec::new();
        for (key, object) in &mut wanted.objects {
            let Some(now) = found.objects.get(key) else { continue };
            let pairs = [
                (&mut object.properties, &now.properties),
                (&mut object.columns, &now.columns),
                (&mut object.parts, &now.parts),
            ];
            for (own, now) in pairs {
                let is_more = |line: &&String| line.starts_with("label '") && !own.contains(*line);
                let (more, others): (Vec<&String>, Vec<&String>) = now.iter().partition(is_more);
                if !more.is_empty() && others.into_iter().eq(own.iter()) {
                    kept.push(format!("{key} keeps {}", more[0]));
                    own.clone_from(now);
                }
            }
        }
        for label in kept {
            self.note(format!("{label}: no statement takes a label away"));
        }
        wanted
    }

    /// A diff as text; empty where it is none but for the order of columns, which is noted.
    pub(super) fn significant(
        &mut self,
        found: &CatalogDiff,
        before: &str,
        after: &str,
        when: &str,
    ) -> String {
        if found.is_column_order_only() {
            self.note(format!("{when}, columns stand in another order"));
            return String::new();
        }
        found.unified(before, after, 1)
    }
}
