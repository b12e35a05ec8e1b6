//! Garbage in, an error out: no reader panics, and what is accepted is a valid model.

use forearm_arm::import;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::fixture;
use crate::import_meshes::{binary_stl, obj, text_stl, urdf_with};

/// Pieces that make a parser stumble.
const PIECES: [&str; 24] = [
    "NaN",
    "inf",
    "-1e308",
    "1e-320",
    "0",
    "-1",
    "",
    " ",
    "\"",
    "<",
    ">",
    "/>",
    "</link>",
    "&",
    "\u{0}",
    "é",
    "<!--",
    "-->",
    "class=\"x\"",
    "<body>",
    "<frame>",
    "1 2 3 4 5 6 7",
    "link",
    "<joint/>",
];

/// Changes to a text: cut, replace, insert, repeat, swap words.
fn mutated(text: String) -> impl Strategy<Value = String> {
    let change = (any::<Index>(), any::<Index>(), 0..5, any::<Index>());
    prop::collection::vec(change, 1..6).prop_map(move |changes| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, length, kind, piece) in changes {
            let start = at.index(chars.len() + 1);
            let end = (start + length.index(40)).min(chars.len());
            let piece = PIECES[piece.index(PIECES.len())].chars();
            match kind {
                0 => chars.truncate(start.max(1)),
                1 => drop(chars.splice(start..end, piece)),
                2 => drop(chars.splice(start..start, piece)),
                3 => {
                    let copy = chars[start..end].to_vec();
                    drop(chars.splice(start..start, copy));
                }
                _ => {
                    // A whole value between quotes, if there is one behind.
                    let quotes: Vec<_> =
                        (start..chars.len()).filter(|i| chars[*i] == '"').collect();
                    if let [open, close, ..] = quotes[..] {
                        drop(chars.splice(open + 1..close, piece));
                    }
                }
            }
        }
        chars.into_iter().collect()
    })
}

fn check(text: &str) {
    drop(import::mesh_names(text));
    let result = import::model(text, &mut |_| Ok(binary_stl(b"")));
    match result {
        Ok(imported) => imported.model.validate().unwrap(),
        Err(error) => {
            assert!(error.line >= 1);
            assert!(!error.problem.is_empty() && error.to_string().len() < 1000);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn mutated_urdf(text in mutated(fixture("so101.urdf"))) {
        check(&text);
    }

    #[test]
    fn mutated_mjcf(text in mutated(fixture("so101.xml"))) {
        check(&text);
    }

    #[test]
    fn random_text(text in "(<robot>|<mujoco>|)[<>/=\"a-z0-9 .&;\n]{0,200}") {
        check(&text);
    }

    #[test]
    fn mutated_meshes(
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 0..8),
        cut in any::<Index>(),
        whole in any::<bool>(),
    ) {
        let files = [
            ("a.stl", binary_stl(b"x")),
            ("a.stl", text_stl(" x")),
            ("a.obj", obj()),
        ];
        for (name, mut bytes) in files {
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            if !whole {
                bytes.truncate(cut.index(bytes.len()));
            }
            let text = urdf_with(&format!("<mesh filename=\"{name}\"/>"));
            if let Ok(imported) = import::model(&text, &mut |_| Ok(bytes.clone())) {
                imported.model.validate().unwrap();
            }
        }
    }

    #[test]
    fn random_bytes_as_meshes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for name in ["a.stl", "a.obj"] {
            let text = urdf_with(&format!("<mesh filename=\"{name}\"/>"));
            drop(import::model(&text, &mut |_| Ok(bytes.clone())));
        }
    }
}
