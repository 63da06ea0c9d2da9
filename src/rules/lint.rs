//! Judges migrations: analyses all of a folder, runs the rules over those that were asked for, and leaves out what is
//! allowed.

use super::allow::{self, Allow};
use super::finding::{Finding, Places, text};
use super::migration::{Back, Judged};
use super::options::Options;
use super::rule::{At, Check, Draft, Edit, Group, Rule, Severity};
use super::{RULES, by_id, edited_after_applied, format_trap, queries, unknown_rule, unused_allow};
use crate::analysis::{Step, analyze, analyze_one};
use crate::compat::running::{Said, Whole};
use crate::dialect::Dialect;
use crate::engine;
use crate::engine::proposal::{Given, Proposal};
use crate::parallel;
use crate::schema::model::{Origin, Schema};
use crate::source::{Folder, Kind, Migration, Phase, Script, by_id as by_format};
use crate::text::Span;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What judging came to.
#[derive(Debug, Default)]
pub struct Linted {
    /// Findings in the order of files and places.
    pub findings: Vec<Finding>,
    /// How many were silenced by an allow.
    pub allowed: usize,
    /// How many migrations were judged.
    pub migrations: usize,
    /// How many statements they have.
    pub statements: usize,
    /// The texts of the files that findings are in, by path.
    pub texts: BTreeMap<String, Arc<str>>,
}

impl Linted {
    fn add(&mut self, other: Linted) {
        self.findings.extend(other.findings);
        self.allowed += other.allowed;
        self.migrations += other.migrations;
        self.statements += other.statements;
        self.texts.extend(other.texts);
    }
}

/// Judges those of `folder`'s migrations whose numbers are `chosen` (in order), from the schema `start` on; the others
/// are their context.
pub fn lint(folder: &Folder, chosen: &[usize], start: Schema, options: &Options) -> Linted {
    let Some(last) = chosen.last() else { return Linted::default() };
    // A baseline stands for the migrations before it, which are all here.
    let replaced =
        |number: usize| folder.migrations[number].kind == Kind::Baseline && !chosen.contains(&number);
    let numbers: Vec<usize> = (0..=*last).filter(|number| !replaced(*number)).collect();
    let analysis = analyze(numbers.iter().map(|number| &folder.migrations[*number].up), start.clone());
    // Files from before a folder's first way back are of another time.
    let first_down = folder.migrations.iter().position(|migration| migration.down.is_some());
    let places: Vec<usize> = (0..numbers.len()).filter(|at| chosen.contains(&numbers[*at])).collect();
    let deploy = options.deploy_from.and_then(|from| {
        let first = numbers.iter().position(|number| *number >= from)?;
        Some(first..numbers.len())
    });
    let ranges = step_ranges(&analysis.steps, numbers.len());
    let no_transaction_mark = by_format(folder.format).map_or("", |format| format.no_transaction_mark());
    // Each is judged by itself: what it needs of the others is in the schema before it.
    let judge = |at: &usize| {
        let at = *at;
        let range = ranges[at].clone();
        let steps = &analysis.steps[range.clone()];
        let before = schema_before(&analysis.steps, &range, &start);
        let after = steps.last().map_or(before, |step| &step.after);
        let migration = &folder.migrations[numbers[at]];
        let back = migration.down.as_ref().map(|down| {
            let back = analyze_one(down, at, after.clone());
            Back { steps: back.steps, end: back.end }
        });
        let judged = Judged {
            number: at,
            deploy: deploy.clone().filter(|range| range.contains(&at)).unwrap_or(at..at + 1),
            migration,
            script: &migration.up,
            steps,
            before,
            after,
            back: back.as_ref(),
            server: options.server,
            is_server_known: options.is_server_known,
            runner: options.runner,
            wants_down: first_down.is_some_and(|first| first < numbers[at])
                && migration.kind == Kind::Versioned,
            format: folder.format,
            is_alone: folder.migrations.len() == 1,
            is_history_known: before.opaque == 0
                && before.tables.values().any(|table| table.origin == Origin::Created),
            outline: OnceCell::new(),
            last_lock: OnceCell::new(),
        };
        let dialect = start.dialect;
        let (places, out) = (Places::default(), Linted::default());
        let mut run = Run { options, dialect, no_transaction_mark, places, out };
        run.migration(&judged, migration);
        run.out
    };
    let mut linted = Linted::default();
    for of_one in parallel::map(&places, judge) {
        linted.add(of_one);
    }
    linted
        .findings
        .sort_by(|one, two| (&one.path, one.span, one.rule.id).cmp(&(&two.path, two.span, two.rule.id)));
    linted
}

/// The schema before the first of the steps in `range`.
fn schema_before<'s>(steps: &'s [Step], range: &Range<usize>, start: &'s Schema) -> &'s Schema {
    match steps.get(range.start).filter(|_| !range.is_empty()) {
        Some(first) => &first.before,
        None => range.start.checked_sub(1).and_then(|last| steps.get(last)).map_or(start, |step| &step.after),
    }
}

/// Which of `steps` are those of each of `count` migrations.
fn step_ranges(steps: &[Step], count: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::with_capacity(count);
    let mut at = 0;
    for number in 0..count {
        let start = at;
        while steps.get(at).is_some_and(|step| step.at.migration == number) {
            at += 1;
        }
        ranges.push(start..at);
    }
    ranges
}

struct Run<'o> {
    options: &'o Options,
    dialect: Dialect,
    /// What stands on top of a file that runs without a transaction; empty where the format has nothing for it.
    no_transaction_mark: &'static str,
    places: Places,
    out: Linted,
}

impl Run<'_> {
    fn migration(&mut self, judged: &Judged<'_>, migration: &Migration) {
        self.out.migrations += 1;
        self.out.statements += judged.steps.len();
        let mut found: Vec<Found<'_>> = Vec::new();
        for rule in RULES.iter().copied().filter(|rule| rule.engines.contains(&judged.before.dialect)) {
            if let Check::Migration(check) = rule.check
                && self.options.severity(rule, &judged.script.path).is_some()
            {
                found.extend(check(judged).into_iter().map(|draft| (rule, draft, None)));
            }
        }
        let rules: Vec<_> = RULES
            .iter()
            .copied()
            .filter(|rule| rule.engines.contains(&judged.before.dialect))
            .filter(|rule| self.options.severity(rule, &judged.script.path).is_some())
            .filter(|rule| rule.group != Group::Compat || migration.phase() != Some(Phase::Contract))
            .filter_map(|rule| match rule.check {
                Check::Change(check) => Some((rule, check)),
                Check::Migration(_) | Check::Elsewhere => None,
            })
            .collect();
        if let Some(line) = self.options.edited.get(&judged.script.path) {
            found.push((&edited_after_applied::RULE, edited_after_applied::draft(*line), None));
        }
        let mut said: BTreeMap<usize, Said> = BTreeMap::new();
        let whole = Whole { file: &judged.script.path, before: judged.before, after: judged.after };
        for place in judged.places() {
            for (rule, check) in &rules {
                let Some(mut draft) = check(&place) else { continue };
                if let (true, Some(running)) = (queries::show(rule), &self.options.running) {
                    let ask = || running.say(&place.step.before, &place.step.after, &whole);
                    let said = said.entry(place.number).or_insert_with(ask);
                    draft = with_evidence(draft, said);
                }
                let proposal = || {
                    let text = place.step.text_of(place.change());
                    engine::propose(place.change(), &text, place.before(), judged.server, &Given::default())
                };
                let proposal = if rule.splits && !draft.whole { proposal() } else { None };
                let at = draft.at.unwrap_or(At::Statement(place.number, place.change().span));
                found.push((rule, Draft { at: Some(at), ..draft }, proposal));
            }
        }
        let (back, forth): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(_, draft, _)| draft.at == Some(At::Down));
        self.script(judged.script, judged.steps, forth);
        if let Some(down) = &migration.down {
            let steps = judged.back.map_or(&[][..], |back| &back.steps);
            self.script(down, steps, back);
        }
    }

    /// Takes what was found in one script, without what is allowed there.
    fn script(&mut self, script: &Script, steps: &[Step], found: Vec<Found<'_>>) {
        let file = text(script);
        let (mut allows, problems) = allow::allows(script, self.dialect);
        for (rule, draft, proposal) in found {
            let Some(level) = self.options.severity(rule, &script.path) else { continue };
            let number = match draft.at {
                Some(At::Statement(number, _) | At::Step(number)) => Some(number),
                Some(At::File | At::Line(_) | At::Down) | None => None,
            };
            let is_set = self.options.is_set(rule, &script.path);
            let severity = draft.severity.filter(|_| !is_set).unwrap_or(level);
            if allows.iter_mut().any(|allow| allow.silences(rule.id, number)) {
                self.out.allowed += 1;
                continue;
            }
            let outside = draft.outside;
            let mut finding = self.places.finding(rule, severity, script, steps, draft, proposal);
            if outside {
                self.mark_outside(&mut finding);
            }
            self.add(finding, &file);
        }
        for allow in &allows {
            self.about_allow(allow, script, &file);
        }
        for problem in problems {
            let draft =
                Draft::new(problem.what, "a directive that is not right is a plain comment: it does nothing")
                    .help(problem.help);
            self.at_directive(&format_trap::RULE, draft, problem.span, script, &file);
        }
    }

    /// Adds to the fix of `finding` what tells its file's format to run it without a transaction; where the format has
    /// no word for that in the file, there is no fix.
    fn mark_outside(&self, finding: &mut Finding) {
        match self.no_transaction_mark {
            _ if finding.fix.is_empty() => {}
            "" => finding.fix.clear(),
            mark => finding.fix.insert(0, Edit { span: Span::default(), text: mark.to_owned() }),
        }
    }

    /// What is wrong with an allow itself.
    fn about_allow(&mut self, allow: &Allow, script: &Script, file: &Arc<str>) {
        for (name, used) in allow.rules() {
            let (rule, draft) = match by_id(name) {
                None => (&unknown_rule::RULE, unknown_rule::draft(name)),
                // A rule that is off finds nothing to silence.
                Some(rule) if used || self.options.severity(rule, &script.path).is_none() => continue,
                Some(_) => (&unused_allow::RULE, unused_allow::draft(name)),
            };
            self.at_directive(rule, draft, allow.span, script, file);
        }
    }

    /// A finding about a directive, which no allow can silence.
    fn at_directive(
        &mut self,
        rule: &'static Rule,
        draft: Draft,
        span: Span,
        script: &Script,
        file: &Arc<str>,
    ) {
        let Some(severity) = self.options.severity(rule, &script.path) else { return };
        let (start, end) = self.places.positions(&script.path, file, span);
        let finding = Finding {
            rule,
            severity,
            path: script.path.clone(),
            span,
            start,
            end,
            message: draft.message,
            why: draft.why,
            help: draft.help,
            proposal: None,
            fix: Vec::new(),
            statement: span.of(file).to_owned(),
        };
        self.add(finding, file);
    }

    fn add(&mut self, finding: Finding, file: &Arc<str>) {
        if !self.out.texts.contains_key(&finding.path) {
            self.out.texts.insert(finding.path.clone(), Arc::clone(file));
        }
        self.out.findings.push(finding);
    }
}

/// `draft` with what the running code notices of its statement. Where that is proved to be nothing, it is but a note.
fn with_evidence(draft: Draft, said: &Said) -> Draft {
    let why = format!("{}; {}", draft.why, said.text);
    let severity = if said.is_unnoticed { Some(Severity::Note) } else { draft.severity };
    Draft { why, severity, ..draft }
}

/// A rule, what it found, and the two steps instead.
type Found<'r> = (&'static Rule, Draft, Option<Proposal>);
