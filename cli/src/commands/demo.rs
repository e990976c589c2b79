//! `gistmill demo`: from a running stack to digests in the terminal, with the two sample chats of the project.

use std::{
    io::{Write, stderr},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use runtime::{Config, Host, SourceEnd};
use state::{DigestFilter, DigestFound, Store};
use telegram_export_source::{FileOptions, FileSource, Group, Meter};
use topology::{Map, broker};

use crate::{assembly, commands::digest, exit::Exit, settings::Settings};

/// Make digests of the two sample chats and print them
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Where the stack's data lies
    #[arg(long, value_name = "DIR", default_value = ".stack")]
    data_dir: PathBuf,
    /// Where the sample chats lie
    #[arg(long, value_name = "DIR", default_value = "samples")]
    samples: PathBuf,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill demo                  starts the stack if need be; run again, it prints the same digests
  gistmill digest ls --tenant demo";

const TENANT: &str = "demo";
/// Group and file of each sample.
const SAMPLES: [(&str, &str); 2] = [("engineering", "engineering_en.json"), ("garden", "garden_ru.json")];
/// Longest wait for the pipeline to come to rest.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let began = Instant::now();
    let say = |text: &str| {
        // Progress that cannot be shown is no reason to stop.
        drop(writeln!(stderr(), "demo: {text} ({:.0} s)", began.elapsed().as_secs_f64()));
    };
    let options = stack::Options { data_dir: arguments.data_dir.clone(), ..stack::Options::default() };
    let addresses =
        stack::up(&options, &mut |progress| say(&format!("{}: {}", progress.subject, progress.message)))?;
    let config = settings.config()?.at(&addresses.kafka, &addresses.registry, &addresses.postgres)?;
    Settings::start_logging(&config)?;
    say("applying the topology and the migrations");
    let map = Map::embedded()?;
    let mut broker = broker::Options::new(&addresses.kafka, &addresses.registry);
    broker.prefix = config.prefix.clone();
    let schema = state::Schema::of_prefix(config.prefix.as_str())?;
    tokio::runtime::Runtime::new()?.block_on(async {
        broker::apply(&map, &broker, &mut |_| {}).await?;
        state::migrate(&addresses.postgres_owner, &schema).await?;
        anyhow::Ok(())
    })?;
    say("starting every processor");
    let mut host = Host::new(config.clone(), assembly::units().count())?;
    for name in assembly::units() {
        assembly::add(&mut host, name)?;
    }
    let store = host.store()?;
    for (group, file) in SAMPLES {
        say(&format!("importing {file} as group {group}"));
        import(&mut host, group, &arguments.samples.join(file))?;
    }
    say("waiting until everything has come to rest");
    let settled = settle(&config, &map, &store, &host);
    let printed = settled.and_then(|()| host.block_on(print(&store, out)));
    host.stop().ask();
    host.run()?;
    printed?;
    say("done");
    where_to_look(&config, out)?;
    Ok(Exit::Done)
}

fn import(host: &mut Host, group: &str, path: &Path) -> anyhow::Result<()> {
    let group = Group::new(TENANT, group)?;
    let (chat, time_zone) = (None, None);
    let options = FileOptions { group, path: path.to_owned(), chat, time_zone, skip_damaged: false };
    let mut source = FileSource::open(&options, Meter::default()).with_context(|| {
        format!("could not import {}; run the demo in the project's directory", path.display())
    })?;
    if host.drive(&mut source, &mut |_| {})? == SourceEnd::Stopped {
        bail!("stopped during the import of {}", path.display());
    }
    Ok(())
}

/// Waits until nothing is on its way: no lag in two looks, one after the other.
fn settle(config: &Config, map: &Map, store: &Store, host: &Host) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut calm = 0;
    while calm < 2 {
        if let Some(failure) = host.failure() {
            return Err(failure.into());
        }
        if Instant::now() > until {
            bail!("the pipeline did not come to rest within {} s; see `gistmill lag`", PATIENCE.as_secs());
        }
        let at_rest = host.is_ready() && {
            let sinks = host.block_on(store.sink_offsets())?;
            runtime::is_at_rest(config, map, &sinks).map_err(anyhow::Error::msg)?
        };
        calm = if at_rest { calm + 1 } else { 0 };
        std::thread::park_timeout(Duration::from_millis(150));
    }
    Ok(())
}

async fn print(store: &Store, out: &mut dyn Write) -> anyhow::Result<()> {
    for (group, _) in SAMPLES {
        let filter =
            DigestFilter { tenant_id: TENANT.to_owned(), group_id: Some(group.to_owned()), limit: None };
        let digests = store.digest_list(&filter).await?;
        if digests.is_empty() {
            bail!("group {group} has no digests");
        }
        for summary in digests {
            if let Some(DigestFound::Stored(stored)) = store.digest_show(TENANT, &summary.digest_id).await? {
                digest::show(&stored, digest::Form::default(), out)?;
                writeln!(out)?;
            }
        }
    }
    Ok(())
}

fn where_to_look(config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
    let files = config.files.directory.display();
    writeln!(
        out,
        "The same digests are files in {files}/{TENANT}/. The stack goes on running. Where to look next:\n\
         \n  eval \"$(gistmill stack env)\"                         point this shell, or any client, at it\
         \n  gistmill digest ls --tenant {TENANT}                   every digest, one line each\
         \n  gistmill digest show latest --tenant {TENANT} --full   everything that the newest one has\
         \n  gistmill tap digest.ready_for_delivery.v1 --limit 1  the event behind one\
         \n  gistmill lag                                         what is on its way\
         \n  gistmill up                                          run the processors, then import a chat of yours:\
         \n  gistmill import result.json --tenant acme --group team\
         \n  make down                                            stop the stack"
    )?;
    Ok(())
}
