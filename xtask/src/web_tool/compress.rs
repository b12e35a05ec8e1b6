//! Brotli and gzip beside each file, so that a host need not compress while it serves.

use std::fs;
use std::io::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, anyhow};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Options of `xtask-web compress`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Brotli's quality. 11 is for releases and takes a minute for an app; 5 takes a second.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=11))]
    quality: u8,
    /// The files; each gets neighbours `FILE.br` and `FILE.gz`.
    files: Vec<PathBuf>,
}

/// Compresses, several files at a time.
///
/// # Errors
/// If a file can't be read or written.
pub(crate) fn run(options: &Options) -> Result<()> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let work = || -> Result<()> {
            while let Some(path) = options.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                compress(path, options.quality)
                    .with_context(|| format!("can't compress {}", path.display()))?;
            }
            Ok(())
        };
        let mut workers = Vec::new();
        for number in 0..threads.min(options.files.len()) {
            workers.push(
                std::thread::Builder::new()
                    .name(format!("compress-{number}"))
                    .spawn_scoped(scope, work)
                    .context("can't start a thread")?,
            );
        }
        for worker in workers {
            worker
                .join()
                .map_err(|_panic| anyhow!("a thread that compresses stopped"))??;
        }
        Ok(())
    })
}

fn compress(path: &Path, quality: u8) -> Result<()> {
    let bytes = fs::read(path)?;
    fs::write(beside(path, "br"), brotli(&bytes, quality)?)?;
    fs::write(beside(path, "gz"), gzip(&bytes, quality)?)?;
    Ok(())
}

/// `app.wasm` → `app.wasm.br`
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn brotli(bytes: &[u8], quality: u8) -> Result<Vec<u8>> {
    let parameters = BrotliEncoderParams {
        quality: quality.into(),
        // The biggest window that browsers take: 16 MB.
        lgwin: 24,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &bytes[..], &mut out, &parameters)?;
    Ok(out)
}

fn gzip(bytes: &[u8], quality: u8) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(u32::from(quality.min(9))));
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_is_compressed_comes_back() {
        let bytes: Vec<u8> = (0..200_000_u32)
            .flat_map(|value| (value / 7).to_le_bytes())
            .collect();
        for quality in [0, 5, 11] {
            let small = brotli(&bytes, quality).expect("brotli");
            assert!(small.len() < bytes.len() / 2, "{} bytes", small.len());
            let mut back = Vec::new();
            brotli::BrotliDecompress(&mut small.as_slice(), &mut back).expect("valid brotli");
            assert!(
                back == bytes,
                "brotli at quality {quality} changed the bytes"
            );

            let small = gzip(&bytes, quality).expect("gzip");
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(small.as_slice())
                .read_to_end(&mut back)
                .expect("valid gzip");
            assert!(back == bytes, "gzip at quality {quality} changed the bytes");
        }
    }

    #[test]
    fn neighbours_keep_the_whole_name() {
        assert_eq!(
            beside(Path::new("site/app.wasm"), "br"),
            Path::new("site/app.wasm.br")
        );
    }
}
