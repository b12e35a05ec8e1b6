//! temporary
use crate::*;
#[test]
fn dump() {
    let Ok(out) = std::env::var("FOREARM_DUMP") else { return };
    let src = golden("video");
    let mp4 = src.read("videos/observation.images.front/chunk-000/file-000.mp4").unwrap();
    // new dataset
    let mut store = Memory::new();
    let mut d = Dataset::create(&mut store, schema(&["front"])).unwrap();
    add(&mut d, &mut store, "Pick the \"ü\" cube", 51, &mp4).unwrap();
    add(&mut d, &mut store, "Place", 20, &mp4).unwrap();
    add(&mut d, &mut store, "Pick the \"ü\" cube", 1, &mp4).unwrap();
    save(&store, &format!("{out}/new"));
    let mut store = golden("video");
    let mut d = Dataset::open(&store).unwrap();
    add(&mut d, &mut store, "third", 30, &mp4).unwrap();
    save(&store, &format!("{out}/resumed"));
    d.delete(&mut store, &[1]).unwrap();
    save(&store, &format!("{out}/deleted"));
    let (a, b) = (golden("video"), store.copy());
    let (da, db) = (Dataset::open(&a).unwrap(), Dataset::open(&b).unwrap());
    let mut m = Memory::new();
    forearm_dataset::ops::merge(&[(&da, &a), (&db, &b), (&da, &a)], &mut m).unwrap();
    save(&m, &format!("{out}/merged"));
    let a = golden("image");
    let da = Dataset::open(&a).unwrap();
    let mut m = Memory::new();
    forearm_dataset::ops::split(&da, &a, &[1, 0], &mut m).unwrap();
    save(&m, &format!("{out}/image"));
    let mut a = golden("image");
    let mut da = Dataset::open(&a).unwrap();
    da.delete(&mut a, &[0]).unwrap();
    save(&a, &format!("{out}/image_deleted"));
}
pub fn save(store: &Memory, to: &str) {
    for e in store.list("").unwrap() {
        let p = std::path::Path::new(to).join(&e.path);
        std::fs::create_dir_all(p.parent().unwrap()).unwrap();
        std::fs::write(p, store.read(&e.path).unwrap()).unwrap();
    }
}
