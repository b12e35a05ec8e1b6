//! A server that runs beside this program: `xtask-web serve`.

use std::io::{BufRead as _, BufReader, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A running server. It ends when this is dropped, and with this program however that ends.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts one for a folder and waits until it can be asked.
    ///
    /// # Errors
    /// If there is nothing to serve or the port can't be had.
    pub(super) fn start(tool: &Path, folder: &Path, port: u16) -> Result<Self> {
        check_port(port)?;
        let mut child = Command::new(tool)
            .arg("serve")
            .arg(folder)
            .args(["--port", &port.to_string()])
            // It ends when this pipe does.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start the server")?;
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut url)
                .context("can't read from the server")?;
        }
        let url = url.trim().to_owned();
        if url.is_empty() {
            bail!("the server did not start ({})", child.wait()?);
        }
        Ok(Self { child, url })
    }

    /// Where it answers, with a `/` at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// If it ends badly.
    pub(super) fn wait(mut self) -> Result<()> {
        // Waiting must not close the pipe that keeps it running.
        let stdin = self.child.stdin.take();
        let status = self.child.wait().context("can't wait for the server")?;
        drop(stdin);
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end and nobody to tell.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Whether a port of this machine can be had now.
///
/// # Errors
/// If not, with what to do.
pub(super) fn check_port(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} is taken by another program; choose one with `--port N`, or any free one \
             with `--port 0`"
        ),
        Err(error) => Err(error).with_context(|| {
            format!("can't listen on port {port}; choose another with `--port N`")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_with_what_to_do() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = taken.local_addr().expect("an address").port();
        let error = check_port(port).expect_err("it is taken").to_string();
        assert!(
            error.contains(&port.to_string()) && error.contains("--port"),
            "{error}"
        );
        drop(taken);
        check_port(0).expect("any free one");
    }
}
