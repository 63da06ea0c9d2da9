//! Old and new code at work between the steps: what they read, what they write, and whether any of it is lost.

use super::judge::Judge;
use super::reference::{Reference, snapshot};
use super::snapshot::{ColumnPlace, Snapshot};
use super::verdict::Point;
use super::workload::{self, Code};
use super::world::{Refused, up};
use crate::db::session::Session;
use crate::engine;
use crate::roundtrip::apply::Applier;
use crate::roundtrip::run::RoundtripError;
use crate::schema::change::Generation;
use std::collections::BTreeSet;

impl Judge<'_> {
    /// Reads by name at a stage.
    pub(super) async fn reads(&mut self, applier: &mut Applier, stage: usize, reference: &Reference) {
        let first = self.deploy.first_steps();
        let (old, new) = (&reference.old_told, &reference.new_told);
        let (old_reads, new_reads) = (&reference.codes.old.reads, &reference.codes.new.reads);
        let old = (old_reads, &old.before, &old.after, &self.known.old);
        let new = (new_reads, &new.after, &new.before, &self.known.new);
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
    pub(super) async fn writes(&mut self, reference: &Reference) -> Result<(), RoundtripError> {
        let (first, count) = (self.deploy.first_steps(), self.world.parts.len());
        let codes = &reference.codes;
        let (old, new) = (codes.old.writes.len(), codes.new.writes.len() + codes.common.len());
        if old + new == 0 {
            self.note("nothing could be written to what the deploy changes".to_owned());
        }
        for stage in 0..=first {
            let mut applier = self.world.at(stage).await?;
            let name = self.stage_name(stage);
            if stage == 0 {
                self.reads(&mut applier, stage, reference).await;
            }
            let mut wrong = workload::send(applier.session(), &codes.old.writes).await;
            let stopped = self.go_on(&mut applier, stage, first).await;
            wrong.extend(stopped);
            let numbers = self.numbers(&mut applier).await;
            let said = workload::send(applier.session(), &codes.new.writes).await;
            let said = self.not_of_a_partition(said);
            wrong.extend(said.into_iter().map(|said| format!("new code: {said}")));
            let said = workload::send(applier.session(), &codes.common).await;
            wrong.extend(said.into_iter().map(|said| format!("both: {said}")));
            wrong.extend(self.go_on(&mut applier, first, count).await);
            let claim =
                format!("{name}, old code writes ({old}), then new code ({new}): none fails, none is lost");
            let rows = snapshot(&mut applier).await?;
            let lines = match wrong.is_empty() {
                true => self.differences(reference, &rows, stage, &numbers).await?,
                false => String::new(),
            };
            self.held(Point::Works, claim, wrong, lines);
            self.world.bench.remove(applier).await?;
        }
        Ok(())
    }

    /// How `found`, where old code wrote at `stage`, differs from what it should be; empty where it does not.
    async fn differences(
        &mut self,
        reference: &Reference,
        found: &Snapshot,
        stage: usize,
        numbers: &[String],
    ) -> Result<String, RoundtripError> {
        let Reference { rows, late_rows, old_rows, unlike, .. } = reference;
        let mut out = String::new();
        for one in rows.differences(found, unlike) {
            let table = &one.table;
            // In which order rows are numbered that a new column numbers, no SQL says.
            let numbered = rows.numbered(table, old_rows, &|column| self.is_numbered(table, column));
            if rows.is_renumbered(found, table, unlike, &numbered) {
                let columns: Vec<&str> = numbered.iter().map(|(_, column)| column.as_str()).collect();
                self.note(format!("{table}: the new numbers in {} are in other rows", columns.join(", ")));
                continue;
            }
            // A write in the middle of the deploy has its place before the plain migration or, where it is possible
            // there, behind it: no code can tell the two apart, and a plan need not choose. Before the deploy there is
            // only one place.
            let late: Vec<&Snapshot> = late_rows.iter().collect();
            let is_meanwhile = stage > 0
                && (found.is_between(table, rows, &late, unlike)
                    || self.is_in_the_middle(reference, found, table).await?);
            if is_meanwhile {
                self.note(format!(
                    "{table}: what old code writes meanwhile counts as written behind the plain migration"
                ));
                continue;
            }
            if self.is_numbered_on(reference, found, table, numbers).await? {
                self.note(format!(
                    "{table}: its numbers go on behind those that are there, where the plain migration begins anew"
                ));
                continue;
            }
            if self.is_still_attached(reference, found, table).await? {
                self.note(format!(
                    "{table}: until the contract new code meets the rows of what is detached, too"
                ));
                continue;
            }
            out.push_str(&one.lines());
        }
        Ok(out)
    }

    /// Whether each row of the table is one that old code leaves if the plain migration comes somewhere in the middle of
    /// its writes.
    async fn is_in_the_middle(
        &mut self,
        reference: &Reference,
        found: &Snapshot,
        table: &str,
    ) -> Result<bool, RoundtripError> {
        if self.middles.is_none() {
            let mut all = Vec::new();
            for writes in 0..reference.codes.old.writes.len() {
                all.extend(self.rows_in_the_middle(reference, writes, true).await?);
                if reference.is_late[writes..].contains(&false) {
                    all.extend(self.rows_in_the_middle(reference, writes, false).await?);
                }
            }
            self.middles = Some(all);
        }
        let middles: Vec<&Snapshot> = self.middles.iter().flatten().collect();
        Ok(found.is_between(table, &reference.rows, &middles, &reference.unlike))
    }

    /// Whether the server numbers the column in the end.
    fn is_numbered(&self, table: &str, column: &str) -> bool {
        let plain = |text: &str| text.replace(['"', '`'], "");
        let (table, dialect) = (plain(table), self.world.bench.place.dialect());
        let (_, end) = self.schemas(self.world.parts.len() - 1, dialect);
        let is_it = |name: &crate::name::TableName| {
            name.name.as_str() == table
                || table.rsplit_once('.').is_some_and(|(_, bare)| name.name.as_str() == bare)
        };
        let of = |found: &crate::schema::model::Table| {
            found.columns.iter().any(|one| {
                let numbered = matches!(
                    one.generation,
                    Some(Generation::AutoIncrement | Generation::Serial | Generation::Identity(_))
                );
                let next = one.default.as_ref().is_some_and(|default| default.text.contains("nextval"));
                one.name.as_str() == column && (numbered || next)
            })
        };
        end.tables.values().any(|found| is_it(&found.name) && of(found))
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
}

/// Whether a read is one of a column that chance fills.
fn is_unlike(sql: &str, unlike: &BTreeSet<ColumnPlace>) -> bool {
    let plain = sql.replace(['"', '`'], "");
    unlike
        .iter()
        .any(|(table, column)| plain == format!("SELECT {column} FROM {}", table.replace(['"', '`'], "")))
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
