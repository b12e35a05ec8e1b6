//! wasm-bindgen as a library: one compiled module in, a module and its JavaScript out.
//!
//! The JavaScript is an ES module that names no file: whoever loads it says where the module is.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

/// Options of `xtask-web link`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What the compiler left.
    input: PathBuf,
    /// Where `NAME.js`, `NAME_bg.wasm` and perhaps `snippets` go.
    #[arg(long)]
    out: PathBuf,
    /// What the files are called.
    #[arg(long)]
    name: String,
}

/// Links.
///
/// # Errors
/// If the module was made with another wasm-bindgen, or can't be read or written.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(&options.input)
        .out_name(&options.name)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        // Names are three quarters of an optimised module.
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen
        .generate(&options.out)
        .with_context(|| format!("wasm-bindgen can't link {}", options.input.display()))
}
