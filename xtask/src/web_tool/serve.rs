//! A static host on this machine, as any other host would do it: types, compressed files, caching.
//!
//! Files whose name holds a hash never change and may be kept for ever; all others are asked for
//! again each time. There are no headers for cross-origin isolation: the app needs none.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower_http::services::ServeDir;

/// Options of `xtask-web serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder.
    folder: PathBuf,
    /// The port; 0 takes any that is free.
    #[arg(long)]
    port: u16,
}

/// Serves until standard input ends: with whoever started this. Prints one line, the address, as soon
/// as it can be opened.
///
/// # Errors
/// If there is no such folder or the port can't be had.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !options.folder.join("index.html").is_file() {
        bail!(
            "{} has no index.html: nothing to serve",
            options.folder.display()
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("can't start the server")?;
    runtime.block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("can't listen on {address}"))?;
        println!("http://{}/", listener.local_addr()?);
        let (ended, end) = oneshot::channel();
        std::thread::Builder::new()
            .name("stdin".to_owned())
            .spawn(move || {
                // Whatever comes is of no interest, only that it ends.
                std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).ok();
                ended.send(()).ok();
            })
            .context("can't start a thread")?;
        tokio::select! {
            served = axum::serve(listener, router(&options.folder)) => served.context("the server stopped"),
            _ended = end => Ok(()),
        }
    })
}

fn router(folder: &Path) -> Router {
    let files = ServeDir::new(folder)
        .precompressed_br()
        .precompressed_gzip();
    Router::new()
        .fallback_service(files)
        .layer(middleware::from_fn(with_headers))
}

async fn with_headers(request: Request, next: Next) -> Response {
    let caching = caching(request.uri().path());
    let mut response = next.run(request).await;
    let caching = if response.status().is_success() {
        caching
    } else {
        "no-store"
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// How long a browser may keep a file.
fn caching(path: &str) -> &'static str {
    if has_hash(path) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

/// Whether a part of the path ends with `-` and ten or more hexadecimal digits, before its extension.
fn has_hash(path: &str) -> bool {
    path.split('/').any(|part| {
        let stem = part.split('.').next().unwrap_or_default();
        stem.rsplit_once('-').is_some_and(|(_, hash)| {
            hash.len() >= 10
                && hash
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    /// What a server of `folder` answers to each path when asked with these headers.
    fn answers(folder: &Path, headers: &str, paths: &[&str]) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_io()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = router(folder);
        runtime.spawn(async move { axum::serve(listener, router).await });
        let ask = |path: &&str| {
            let mut stream = TcpStream::connect(address).expect("a connection");
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{headers}\r\n"
            )
            .expect("asked");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("an answer");
            String::from_utf8_lossy(&answer).to_lowercase()
        };
        paths.iter().map(ask).collect()
    }

    fn site(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        for (file, text) in [
            ("index.html", "<p>page"),
            ("app-0123456789.wasm", "plain module"),
            ("app-0123456789.wasm.br", "brotli module"),
            ("app-0123456789.wasm.gz", "gzip module"),
            ("app-0123456789.js", "export {}"),
            ("manifest.json", "{}"),
        ] {
            fs::write(folder.join(file), text).expect("a file");
        }
        folder
    }

    #[test]
    fn files_have_their_type_and_may_be_kept_as_long_as_they_stay() {
        let folder = site("types");
        let paths = [
            "/",
            "/manifest.json",
            "/app-0123456789.js",
            "/app-0123456789.wasm",
            "/no.wasm",
            "/../Cargo.toml",
        ];
        let got = answers(&folder, "", &paths);
        fs::remove_dir_all(&folder).expect("removed");
        let expected = [
            ("200", "text/html", "no-cache"),
            ("200", "application/json", "no-cache"),
            ("200", "text/javascript", "immutable"),
            ("200", "application/wasm", "immutable"),
            ("404", "", "no-store"),
            ("404", "", "no-store"),
        ];
        for ((path, answer), (status, kind, caching)) in paths.iter().zip(&got).zip(expected) {
            assert!(
                answer.starts_with(&format!("http/1.1 {status}")),
                "{path}: {answer}"
            );
            assert!(
                answer.contains(&format!("content-type: {kind}")) || kind.is_empty(),
                "{path}: {answer}"
            );
            assert!(answer.contains(caching), "{path}: {answer}");
        }
    }

    #[test]
    fn who_takes_compressed_files_gets_them() {
        let folder = site("encodings");
        let module = ["/app-0123456789.wasm"];
        let plain = answers(&folder, "", &module);
        let gzip = answers(&folder, "Accept-Encoding: gzip\r\n", &module);
        let brotli = answers(&folder, "Accept-Encoding: gzip, deflate, br\r\n", &module);
        fs::remove_dir_all(&folder).expect("removed");
        assert!(plain[0].ends_with("plain module"), "{}", plain[0]);
        for (answer, encoding, body) in [
            (&gzip[0], "gzip", "gzip module"),
            (&brotli[0], "br", "brotli module"),
        ] {
            assert!(answer.ends_with(body), "{answer}");
            assert!(
                answer.contains(&format!("content-encoding: {encoding}\r\n")),
                "{answer}"
            );
            assert!(
                answer.contains("content-type: application/wasm"),
                "{answer}"
            );
        }
    }

    #[test]
    fn a_hash_is_told_from_a_name() {
        for (path, expected) in [
            ("/forearm-0a1b2c3d4e.wasm", true),
            ("/forearm-0a1b2c3d4e_bg.wasm", false),
            ("/snippets-0123456789/x/inline0.js", true),
            ("/worker_entry.js", false),
            ("/pick-and-place.ron", false),
            ("/a-face.js", false),
        ] {
            assert_eq!(has_hash(path), expected, "{path}");
        }
    }
}
