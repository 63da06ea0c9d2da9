//! Everything that only a real server or the built binary can show. One test binary, so that its servers are shared.

#![allow(clippy::unwrap_used, reason = "everything here is part of a test")]

mod adopt_histories;
mod adopt_states;
mod adopt_tools;
mod bad_input;
mod catalog;
mod client;
mod complaint;
mod contention;
mod corpora;
mod corpora_run;
mod effects;
mod effects_mysql;
mod faults;
mod formats;
mod harness;
mod history;
mod json_schema;
mod large;
mod lint_bad_input;
mod lint_ci;
mod lint_command;
mod lint_fix;
mod lint_outputs;
mod locks;
mod many;
mod mariadb_run;
mod model;
mod poolers;
mod programs;
mod readme;
mod release_phase;
mod roundtrip_verdicts;
mod rule_pages;
mod sample;
mod second_opinion;
mod servers;
mod session;
mod signals;
mod statements;
mod texts;
mod tidy;
mod tls;
mod twostep;
mod wait;
