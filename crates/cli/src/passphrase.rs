//! The passphrase of a locked profile. It comes from the terminal, or from standard input: arguments and the
//! environment of a program can be read by others.

use crate::output::Output;
use clap::Subcommand;
use satchel_core::{Engine, EngineOptions, Passphrase, Problem, ProblemCode, Result};
use serde_json::json;
use std::io::{BufRead, IsTerminal, Read};

/// Nobody types more.
const LIMIT: u64 = 4096;

#[derive(Debug, Subcommand)]
pub(crate) enum PassphraseCommand {
    /// Set a passphrase, or another one: it is asked for twice; --passphrase-stdin reads the old one from the
    /// first line (where there is one) and the new one from the next
    Set {
        /// Ask for it after Satchel was locked only: whoever can use this account opens Satchel without it
        #[arg(long)]
        not_at_start: bool,
    },
    /// Take the passphrase away: this computer's keychain alone opens the records again
    Remove,
}

/// Opens the profile; a locked one with its passphrase.
pub(crate) async fn open(options: EngineOptions, from_stdin: bool) -> Result<Engine> {
    if from_stdin && Engine::lock_standing_of(&options).await?.passphrase {
        let passphrase = line()?;
        return match Engine::open(options.clone()).await {
            Err(problem) if problem.code == ProblemCode::Locked => {
                Engine::unlock(options, &passphrase).await
            }
            opened => opened,
        };
    }
    match Engine::open(options.clone()).await {
        Err(problem) if problem.code == ProblemCode::Locked => match typed("Passphrase: ")? {
            Some(passphrase) => Engine::unlock(options, &passphrase).await,
            None => Err(problem),
        },
        opened => opened,
    }
}

/// The passphrase of a profile that is to be erased, if somebody gives it: then the servers are told.
pub(crate) async fn for_erasing(
    options: &EngineOptions,
    from_stdin: bool,
) -> Result<Option<Passphrase>> {
    let at_start = Engine::lock_standing_of(options).await?.at_start;
    match at_start && from_stdin {
        true => line().map(Some),
        false => Ok(None),
    }
}

/// Without a command: how the lock stands.
pub(crate) async fn run(
    options: EngineOptions,
    command: Option<&PassphraseCommand>,
    from_stdin: bool,
    output: &Output,
) -> Result<()> {
    let before = Engine::lock_standing_of(&options).await?;
    let Some(command) = command else {
        show(before.passphrase, before.at_start, output);
        return Ok(());
    };
    let needed = |passphrase: Option<Passphrase>| {
        passphrase.ok_or_else(|| Problem::new(ProblemCode::Locked))
    };
    let current = match (before.passphrase, from_stdin) {
        (false, _) => None,
        (true, true) => Some(line()?),
        (true, false) => Some(needed(typed("Passphrase: ")?)?),
    };
    let engine = match (&current, before.at_start) {
        (Some(current), true) => Engine::unlock(options, current).await?,
        _ => Engine::open(options).await?,
    };
    let changed = match command {
        PassphraseCommand::Set { not_at_start } => {
            let new = if from_stdin { line()? } else { new_one()? };
            let set = engine.passphrase_set(current.as_ref(), &new, !not_at_start);
            set.await
        }
        PassphraseCommand::Remove => match &current {
            Some(current) => engine.passphrase_remove(current).await,
            None => Err(Problem::new(ProblemCode::NoPassphrase)),
        },
    };
    let after = engine.lock_standing().await;
    engine.close().await;
    changed?;
    let after = after?;
    show(after.passphrase, after.at_start, output);
    Ok(())
}

fn show(passphrase: bool, at_start: bool, output: &Output) {
    let words = match (passphrase, at_start) {
        (false, _) => "No passphrase is set.",
        (true, false) => "A passphrase is set. It is asked for after Satchel was locked.",
        (true, true) => "A passphrase is set. It is asked for whenever Satchel is started.",
    };
    let value = json!({ "passphrase": passphrase, "atStart": at_start });
    output.answer(&value, || vec![words.to_owned()]);
}

/// A line of standard input; what comes after it is left to the command.
fn line() -> Result<Passphrase> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(LIMIT)
        .read_line(&mut text)
        .map_err(|error| Problem::with_detail(ProblemCode::WrongPassphrase, error.kind()))?;
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    Ok(Passphrase::new(text))
}

/// Typed in the terminal, without an echo; none when there is no terminal.
fn typed(prompt: &str) -> Result<Option<Passphrase>> {
    if !std::io::stdin().is_terminal() {
        return Ok(None);
    }
    let text = rpassword::prompt_password(prompt)
        .map_err(|error| Problem::with_detail(ProblemCode::Locked, error.kind()))?;
    Ok(Some(Passphrase::new(text)))
}

/// A new one, typed twice.
fn new_one() -> Result<Passphrase> {
    let missing = || Problem::new(ProblemCode::NoPassphrase);
    let one = typed("New passphrase: ")?.ok_or_else(missing)?;
    let other = typed("The same again: ")?.ok_or_else(missing)?;
    match one == other {
        true => Ok(one),
        false => Err(Problem::with_detail(
            ProblemCode::WrongPassphrase,
            "the two are not the same",
        )),
    }
}
