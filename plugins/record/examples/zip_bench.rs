//! How fast a dataset is packed natively, from a folder into a file: the native side of
//! `cargo xtask bench zip`. Arguments: megabytes, rounds.

#[cfg(not(target_family = "wasm"))]
#[expect(clippy::print_stdout, reason = "a measurement is printed")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use std::io::Write as _;
    use std::time::Instant;

    use forearm_dataset::store::Store as _;
    use forearm_dataset::zip::ZipExport;
    use forearm_record::store::{Access, Directory};

    const FILE_BYTES: usize = 4 << 20;
    const CHUNK_BYTES: usize = 1 << 20;

    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let megabytes = numbers.next().transpose()?.unwrap_or(256);
    let rounds = numbers.next().transpose()?.unwrap_or(3);
    let folder = std::env::temp_dir().join(format!("forearm-zip-bench-{}", std::process::id()));
    let measured = (|| {
        let mut store = Directory::open(&folder.join("dataset"), Access::Write)?;
        let mut word = 0x9e37_79b9_7f4a_7c15_u64;
        let mut bytes = vec![0; FILE_BYTES];
        for file in 0..(megabytes << 20) / FILE_BYTES {
            for eight in bytes.as_chunks_mut::<8>().0 {
                word ^= word << 13;
                word ^= word >> 7;
                word ^= word << 17;
                *eight = word.to_le_bytes();
            }
            store.write(&format!("videos/file-{file:03}.mp4"), &bytes)?;
        }
        for _ in 0..rounds {
            let mut archive = std::fs::File::create(folder.join("archive.zip"))?;
            let begun = Instant::now();
            let mut export = ZipExport::new(&store, "", CHUNK_BYTES)?;
            let mut chunk = Vec::new();
            let mut written = 0;
            loop {
                export.next_into(&store, &mut chunk)?;
                if chunk.is_empty() {
                    break;
                }
                archive.write_all(&chunk)?;
                written += chunk.len();
            }
            let secs = begun.elapsed().as_secs_f64();
            println!("{:.0} MB/s", written as f64 / 1e6 / secs);
        }
        Ok(())
    })();
    std::fs::remove_dir_all(&folder).ok();
    measured
}

#[cfg(target_family = "wasm")]
fn main() {}
