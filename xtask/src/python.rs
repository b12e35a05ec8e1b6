//! What third parties wrote in Python, which tests let loose on Forearm: Feetech's own SDK on virtual
//! servos, `pyarrow` and `FFmpeg` on datasets.
//!
//! It is kept beside the build's results and used from there: nothing of the person's Python is
//! changed. LeRobot itself, which is gigabytes, is used where `FOREARM_LEROBOT_PYTHON` names a Python
//! that has it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::prerequisites;
use crate::stages::{build_folder, output_of, run};

/// Names a Python that has LeRobot.
const LEROBOT: &str = "FOREARM_LEROBOT_PYTHON";

/// Some packages that are installed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kit {
    /// The SDK as LeRobot requires it, and what it talks to ports with.
    Servos,
    /// What reads tables and videos of datasets: some hundred megabytes, once.
    Datasets,
    /// What builds the Python package, and what its tests need.
    Package,
}

impl Kit {
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Servos => &["feetech-servo-sdk==1.0.0", "pyserial==3.5"],
            Self::Datasets => &["pyarrow==26.0.1", "numpy==2.2.6", "av==15.1.0"],
            Self::Package => &[
                "maturin==1.16.0",
                "gymnasium==1.4.0",
                "numpy==2.2.6",
                "pettingzoo==1.27.0",
                "pytest==9.2.0",
                "mypy==2.4.1",
            ],
        }
    }

    fn imports(self) -> &'static str {
        match self {
            Self::Servos => "import scservo_sdk, serial",
            Self::Datasets => "import pyarrow.parquet, numpy, av",
            Self::Package => "import maturin, gymnasium, numpy, pettingzoo, pytest, mypy",
        }
    }

    /// The folder beside the build's results.
    fn folder(self) -> &'static str {
        match self {
            Self::Servos => "python",
            Self::Datasets => "python-datasets",
            Self::Package => "python-kit",
        }
    }

    /// What tests find the Python and the packages by.
    fn variables(self) -> [&'static str; 2] {
        match self {
            Self::Servos => ["FOREARM_SDK_PYTHON", "FOREARM_SDK_PACKAGES"],
            Self::Datasets => ["FOREARM_DATASET_PYTHON", "FOREARM_DATASET_PACKAGES"],
            Self::Package => ["FOREARM_PYTHON", "FOREARM_PYTHON_PACKAGES"],
        }
    }
}

/// A Python that can import a kit.
#[derive(Debug)]
pub(crate) struct Python {
    kit: Kit,
    program: PathBuf,
    packages: PathBuf,
}

impl Python {
    /// Finds Python, installs the kit if it is not there yet.
    ///
    /// # Errors
    /// Says what is missing and how to get it.
    pub(crate) fn find_or_install(kit: Kit) -> Result<Self> {
        let program = prerequisites::python()?;
        let packages = build_folder().join(kit.folder());
        let python = Self {
            kit,
            program,
            packages,
        };
        if python.imports().is_err() {
            run(Command::new(&python.program)
                .args([
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--upgrade",
                ])
                .arg("--target")
                .arg(&python.packages)
                .args(kit.packages()))
            .context("the package index can't be reached, or pip is broken")?;
            python
                .imports()
                .context("packages were installed but can't be imported")?;
        }
        Ok(python)
    }

    /// The interpreter.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The folder that the kit is in.
    pub(crate) fn packages(&self) -> &Path {
        &self.packages
    }

    /// Which kit it is.
    pub(crate) fn kit(&self) -> Kit {
        self.kit
    }

    /// Lets a command's tests use it.
    pub(crate) fn apply(&self, command: &mut Command) {
        let [program, packages] = self.kit.variables();
        command
            .env(program, &self.program)
            .env(packages, &self.packages);
    }

    /// The Python that has LeRobot, if one is named; else this one.
    pub(crate) fn or_lerobot(&self) -> Command {
        lerobot().unwrap_or_else(|| {
            let mut command = Command::new(&self.program);
            command.env("PYTHONPATH", &self.packages);
            command
        })
    }

    fn imports(&self) -> Result<()> {
        let mut import = Command::new(&self.program);
        import
            .args(["-c", self.kit.imports()])
            .env("PYTHONPATH", &self.packages);
        output_of(&mut import).map(|_said| ())
    }
}

/// The Python that has LeRobot, if one is named.
pub(crate) fn lerobot() -> Option<Command> {
    std::env::var_os(LEROBOT).map(Command::new)
}

impl fmt::Display for Python {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packages = self.kit.packages();
        match self.kit {
            Kit::Servos => write!(f, "{}", packages[0])?,
            Kit::Datasets => write!(f, "{}", packages.join(", "))?,
            Kit::Package => return write!(f, "{}", packages.join(", ")),
        }
        match std::env::var_os(LEROBOT) {
            Some(_) => write!(f, " and LeRobot"),
            None => write!(f, "; LeRobot itself where {LEROBOT} names a Python with it"),
        }
    }
}
