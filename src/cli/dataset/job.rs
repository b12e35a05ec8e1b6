//! `forearm export` and `forearm dataset upload`: what the record service does with a dataset and takes
//! its time for.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use forearm_protocol::Message;
use forearm_protocol::control::{Notice, NoticeLevel};
use forearm_protocol::record::{Command, Event, Place, Reply, Request, UploadConfig};
use forearm_record::{RecordService, RecordSetup};
use forearm_workers::{Handle, Host, spawn};
use serde_json::json;

use super::say;
use crate::cli::{Failure, OrFail, interrupt, parse_output, print_json};

/// How often the service is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longer than any dataset takes.
const WITHIN: Duration = Duration::from_secs(7 * 24 * 3600);

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// The dataset's folder.
    #[arg(value_name = "DIR")]
    root: PathBuf,
    /// The ZIP file to write.
    #[arg(long, value_name = "FILE", value_parser = parse_output)]
    out: PathBuf,
    /// Print one JSON object at the end.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct UploadArgs {
    /// The dataset's folder.
    #[arg(value_name = "DIR")]
    root: PathBuf,
    /// The dataset's name on the hub.
    #[arg(long, value_name = "USER/NAME")]
    repo_id: String,
    /// Let only yourself see it.
    #[arg(long)]
    private: bool,
    /// The hub; `$HF_ENDPOINT`, else huggingface.co, if left out.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Print one JSON object at the end.
    #[arg(long)]
    json: bool,
}

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let file = args.out.to_str().map(str::to_owned);
    let file = file
        .ok_or_else(|| anyhow!("the file's name is not Unicode"))
        .or_bad_input()?;
    let request = Request::Export {
        file: Some(file),
        window_bytes: 0,
    };
    run(&args.root, request, args.json)
}

pub(super) fn upload(args: &UploadArgs) -> Result<(), Failure> {
    let upload = UploadConfig {
        endpoint: endpoint(args.endpoint.as_deref()),
        repo_id: args.repo_id.clone(),
        private: args.private,
        token: token()?,
    };
    run(&args.root, Request::Upload(Box::new(upload)), args.json)
}

fn endpoint(asked: Option<&str>) -> String {
    let of_environment = || {
        std::env::var("HF_ENDPOINT")
            .ok()
            .filter(|it| !it.is_empty())
    };
    let asked = asked.map(str::to_owned).or_else(of_environment);
    asked.unwrap_or_else(|| "https://huggingface.co".to_owned())
}

/// The person's access token: of the environment, else asked for.
fn token() -> Result<String, Failure> {
    let given = std::env::var("HF_TOKEN").ok();
    if let Some(token) = given.filter(|token| !token.is_empty()) {
        return Ok(token);
    }
    if !std::io::stdin().is_terminal() {
        let what = "there is no access token; set HF_TOKEN to one that may write \
                    (huggingface.co/settings/tokens)";
        return Err(anyhow!(what)).or_bad_input();
    }
    let mut out = std::io::stdout().lock();
    write!(out, "Access token (huggingface.co/settings/tokens): ").or_failed()?;
    out.flush().or_failed()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).or_failed()?;
    match line.trim() {
        "" => Err(anyhow!("no access token was given")).or_bad_input(),
        token => Ok(token.to_owned()),
    }
}

/// Has the service do this with a dataset, and shows how far it is.
fn run(root: &Path, request: Request, json: bool) -> Result<(), Failure> {
    interrupt::listen();
    let place = root.to_str().map(|root| Place::Folder(root.to_owned()));
    let place = place.ok_or_else(|| anyhow!("the folder's name is not Unicode"));
    let place = place.or_bad_input()?;
    let service = spawn::<RecordService>(RecordSetup::default(), Host::Thread);
    let shows = !json && std::io::stdout().is_terminal();
    ask(&service, Request::Browse(place), shows)?.or_bad_input()?;
    let done = ask(&service, request, shows)?.or_failed()?;
    let Reply::Exported { files, bytes, to } = done else {
        return Err(anyhow!("unexpected answer `{}`", done.name())).or_failed();
    };
    if json {
        return print_json(&json!({ "files": files, "bytes": bytes, "to": to }));
    }
    say(&format!(
        "{files} files, {:.1} MB: {to}",
        bytes as f64 / 1e6
    ))
}

fn ask(
    service: &Handle<RecordService>,
    request: Request,
    shows: bool,
) -> Result<Result<Reply, forearm_protocol::ServiceError>, Failure> {
    let mut asked = service.request_within(request, WITHIN);
    let mut cancelled = false;
    loop {
        if let Some(answer) = asked.try_take() {
            return Ok(answer);
        }
        if interrupt::is_told() && !cancelled {
            cancelled = true;
            service.send(Command::Cancel).or_failed()?;
        }
        for event in service.events() {
            match event {
                Event::Progress { stage, fraction } if shows => {
                    let mut out = std::io::stdout().lock();
                    // A closed terminal only ends the display.
                    write!(out, "\r\x1b[K{stage}: {:.0} %", fraction * 100.0).ok();
                    if fraction >= 1.0 {
                        write!(out, "\r\x1b[K").ok();
                    }
                    out.flush().ok();
                }
                Event::Notice(Notice { level, text }) => match level {
                    NoticeLevel::Info => tracing::info!("{text}"),
                    NoticeLevel::Warning => tracing::warn!("{text}"),
                    NoticeLevel::Error => tracing::error!("{text}"),
                },
                _ => {}
            }
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
