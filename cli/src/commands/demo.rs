//! `gistmill demo`: from a running stack to digests in the terminal, with the two sample chats of the project.

mod console;
mod pages;
mod progress;

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Args;
use runtime::{Config, Host, SourceEnd};
use state::{DigestFilter, Store};
use telegram_export_source::{FileOptions, FileSource, Group, Meter};
use topology::{Map, broker};

use self::progress::Steps;
use crate::{assembly, exit::Exit, settings::Settings};

/// Make digests of the two sample chats and print the newest of each at a glance
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Where the stack's data lies
    #[arg(long, value_name = "DIR", default_value = ".stack")]
    data_dir: PathBuf,
    /// Where the sample chats lie
    #[arg(long, value_name = "DIR", default_value = "samples")]
    samples: PathBuf,
    /// End once the digests are printed, also in a terminal
    #[arg(long)]
    no_console: bool,
}

const AFTER_HELP: &str = "\
Examples:
  gistmill demo                  starts the stack if need be; run again, it prints the same
  gistmill demo --no-console     ends at once; without a terminal it does so anyway
  gistmill digest ls --tenant demo

In a terminal it goes on serving the console, whose address and key it prints, until Ctrl-C.";

const TENANT: &str = "demo";
/// Group and file of each sample.
const SAMPLES: [(&str, &str); 2] = [("engineering", "engineering_en.json"), ("garden", "garden_ru.json")];
/// Longest wait for the pipeline to come to rest.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) fn run(arguments: &Arguments, settings: &Settings, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut steps = Steps::start();
    let options = stack::Options { data_dir: arguments.data_dir.clone(), ..stack::Options::default() };
    let addresses = stack::up(&options, &mut |progress| {
        steps.say(&format!("{}: {}", progress.subject, progress.message));
    })?;
    let config = settings.config()?.at(&addresses.kafka, &addresses.registry, &addresses.postgres)?;
    Settings::start_logging(&config)?;
    steps.say("applying the topology and the migrations");
    let map = Map::embedded()?;
    let mut broker = broker::Options::new(&addresses.kafka, &addresses.registry);
    broker.prefix = config.prefix.clone();
    let schema = state::Schema::of_prefix(config.prefix.as_str())?;
    tokio::runtime::Runtime::new()?.block_on(async {
        broker::apply(&map, &broker, &mut |_| {}).await?;
        state::migrate(&addresses.postgres_owner, &schema).await?;
        anyhow::Ok(())
    })?;
    steps.say("starting every processor");
    let units = assembly::used(&config)?;
    let mut host = Host::new(config.clone(), units.len())?;
    for name in units {
        assembly::add(&mut host, name)?;
    }
    let store = host.store()?;
    for (group, file) in SAMPLES {
        steps.say(&format!("importing {file} as group {group}"));
        import(&mut host, group, &arguments.samples.join(file))?;
    }
    steps.say("waiting until everything has come to rest");
    let settled = settle(&config, &map, (&store, &host), &mut steps);
    let shown = settled.and_then(|()| {
        drop(steps);
        tell(arguments, &config, (&store, &host), out)?;
        if arguments.no_console || !io::stdout().is_terminal() {
            return Ok(());
        }
        console::serve(&config, (&store, &host), &settings.operator(), out)
    });
    host.stop().ask();
    host.run()?;
    shown?;
    Ok(Exit::Done)
}

/// Prints the newest digests, and where to look next.
fn tell(
    arguments: &Arguments,
    config: &Config,
    (store, host): (&Store, &Host),
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let ids = host.block_on(pages::print(store, out))?;
    let program = std::env::current_exe().context("could not find where this program lies")?;
    let here = pages::Whereabouts {
        program: &program,
        data_dir: &arguments.data_dir,
        files: &config.files.directory,
        ids: &ids,
    };
    pages::where_to_look(&here, out)
}

fn import(host: &mut Host, group: &str, path: &Path) -> anyhow::Result<()> {
    let group = Group::new(TENANT, group)?;
    let (chat, time_zone, date_order) = (None, None, None);
    let options =
        FileOptions { group, path: path.to_owned(), chat, time_zone, date_order, skip_damaged: false };
    let mut source = FileSource::open(&options, Meter::default()).with_context(|| {
        format!("could not import {}; run the demo in the project's directory", path.display())
    })?;
    if host.drive(&mut source, &mut |_| {})? == SourceEnd::Stopped {
        bail!("stopped during the import of {}", path.display());
    }
    Ok(())
}

/// Waits until nothing is on its way: no lag in two looks, one after the other.
fn settle(
    config: &Config,
    map: &Map,
    (store, host): (&Store, &Host),
    steps: &mut Steps,
) -> anyhow::Result<()> {
    let until = Instant::now() + PATIENCE;
    let all = DigestFilter { tenant_id: TENANT.to_owned(), ..DigestFilter::default() };
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
        let made = host.block_on(store.digest_list(&all))?.len();
        steps.goes_on(&format!("waiting until everything has come to rest: {made} digests are stored"));
        std::thread::park_timeout(Duration::from_millis(150));
    }
    Ok(())
}
