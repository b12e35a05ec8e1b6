//! What MJCF has and we do not use: noted, section by section.

use super::frames::PLACE;
use super::{Mjcf, geoms, joints};
use crate::import::xml::{Element, children, quote};

/// Attributes of assets and sites that are used; a site's looks are not, its place is.
const KNOWN_OF_MESHES: [&str; 4] = ["name", "class", "file", "scale"];
const KNOWN_OF_MATERIALS: [&str; 3] = ["name", "class", "rgba"];
pub(super) const KNOWN_OF_SITES: [&str; 2] = ["name", "class"];

impl<'a> Mjcf<'a, '_> {
    /// Notes the sections, options and assets that are not used.
    pub(super) fn note_sections(&mut self, root: Element<'a>, compiler: Option<Element<'a>>) {
        self.reader.note_attributes(root, &["model"]);
        if let Some(compiler) = compiler {
            let known = ["angle", "eulerseq", "meshdir", "assetdir", "autolimits"];
            self.reader.note_attributes(compiler, &known);
        }
        for section in children(root) {
            match section.tag_name().name() {
                "compiler" | "worldbody" | "actuator" => {}
                "default" => self.note_defaults(section),
                "asset" => {
                    for asset in children(section) {
                        match asset.tag_name().name() {
                            "mesh" => self.reader.note_attributes(asset, &KNOWN_OF_MESHES),
                            "material" => {
                                self.reader.note_attributes(asset, &KNOWN_OF_MATERIALS);
                            }
                            _ => self.reader.note_element(asset),
                        }
                    }
                }
                "keyframe" => {
                    for key in children(section).filter(|k| k.attribute("name") != Some("home")) {
                        self.reader.note_element(key);
                    }
                }
                "include" => {
                    let file = quote(section.attribute("file").unwrap_or_default());
                    let text = format!("<include file=\"{file}\"> is not followed");
                    self.reader.note(section, text);
                }
                _ => self.reader.note_element(section),
            }
        }
    }

    /// Notes the defaults that are not used.
    fn note_defaults(&mut self, section: Element<'a>) {
        let inner = section
            .descendants()
            .filter(|element| element.has_tag_name("default"));
        for element in inner.flat_map(children) {
            let (known, place): (&[&str], &[&str]) = match element.tag_name().name() {
                "default" => continue,
                "joint" => (&joints::KNOWN, &[]),
                "geom" => (&geoms::KNOWN, &PLACE),
                "site" => (&KNOWN_OF_SITES, &PLACE),
                "mesh" => (&KNOWN_OF_MESHES, &[]),
                "material" => (&KNOWN_OF_MATERIALS, &[]),
                "position" | "general" => (&joints::KNOWN_OF_ACTUATORS, &[]),
                _ => {
                    self.reader.note_element(element);
                    continue;
                }
            };
            self.reader
                .note_attributes(element, &[known, place].concat());
        }
    }
}
