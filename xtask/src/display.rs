//! A display of our own to draw on: Xvfb, with the software rasterizer, gone when dropped.
//!
//! Pictures taken on it don't depend on the person's screen, window manager or graphics card.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::prerequisites;

/// A running Xvfb. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct VirtualDisplay {
    server: Child,
    name: String,
}

impl VirtualDisplay {
    /// Starts Xvfb on a free display number, big enough for a full-HD window.
    ///
    /// # Errors
    /// If Xvfb is not installed or does not start.
    pub(crate) fn start() -> Result<Self> {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1920x1200x24",
                "-nolisten",
                "tcp",
            ])
            .arg("-noreset")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("can't start Xvfb; install it (Debian: `apt-get install xvfb`)")?;
        let mut number = String::new();
        if let Some(stdout) = server.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut number)
                .context("can't read from Xvfb")?;
        }
        if number.trim().is_empty() {
            let mut said = String::new();
            if let Some(mut stderr) = server.stderr.take() {
                stderr
                    .read_to_string(&mut said)
                    .context("can't read from Xvfb")?;
            }
            bail!("Xvfb did not start: {} ({})", said.trim(), server.wait()?);
        }
        // Nobody reads what it says from here on; a full pipe would stop it.
        if let Some(mut stderr) = server.stderr.take() {
            std::thread::Builder::new()
                .name("xvfb-stderr".to_owned())
                .spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()))
                .context("can't start a thread")?;
        }
        Ok(Self {
            server,
            name: format!(":{}", number.trim()),
        })
    }

    /// The display's name, for instance `:99`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Makes a command draw here, in software.
    pub(crate) fn apply(&self, command: &mut Command) {
        command
            .env("DISPLAY", &self.name)
            .env_remove("WAYLAND_DISPLAY");
        // Without it drivers complain, though they need nothing there.
        if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
            command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
        }
        if let Some(driver) = software_driver() {
            // The second name is what older Vulkan loaders know.
            command
                .env("VK_DRIVER_FILES", &driver)
                .env("VK_ICD_FILENAMES", &driver);
        }
    }
}

impl Drop for VirtualDisplay {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        if self.server.kill().is_ok() {
            drop(self.server.wait());
        }
    }
}

/// A display for tests and benches: our own on Linux, the system's elsewhere.
#[derive(Debug)]
pub(crate) enum Display {
    /// Started here.
    Own(VirtualDisplay),
    /// The system always has one.
    System,
}

impl Display {
    /// A display, whatever it takes.
    ///
    /// # Errors
    /// Says what is missing.
    pub(crate) fn open() -> Result<Self> {
        if !cfg!(target_os = "linux") {
            return Ok(Self::System);
        }
        prerequisites::install_missing()?;
        Ok(Self::Own(VirtualDisplay::start()?))
    }

    /// Makes a command draw here.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Self::Own(display) = self {
            display.apply(command);
        }
    }
}

impl std::fmt::Display for Display {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Own(display) => write!(out, "Xvfb {}, software rasterizer", display.name()),
            Self::System => write!(out, "the system's display"),
        }
    }
}

/// The description of Mesa's software Vulkan driver, where Linux distributions keep it.
pub(crate) fn software_driver() -> Option<PathBuf> {
    [
        "/usr/share/vulkan/icd.d",
        "/etc/vulkan/icd.d",
        "/usr/local/share/vulkan/icd.d",
    ]
    .into_iter()
    .filter_map(|folder| std::fs::read_dir(folder).ok())
    .flatten()
    .filter_map(|entry| Some(entry.ok()?.path()))
    .find(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd"))
    })
}
