//! MJCF, as far as arms need it: bodies, joints, geoms, defaults, meshes, position actuators.

mod classes;
mod frames;
mod geoms;
mod joints;
mod unused;

use std::collections::HashMap;
use std::rc::Rc;

use nalgebra::{Isometry3, Translation3, UnitQuaternion, Vector3};
use roxmltree::Document;

use self::classes::{ClassId, Classes};
use self::frames::{Angles, PLACE};
use self::joints::BodyJoint;
use self::unused::KNOWN_OF_SITES;
use super::draft::{Defaults, Draft, DraftJoint, DraftLink};
use super::inertia::Body;
use super::meshes::Meshes;
use super::xml::{Element, Reader, children, describe};
use super::{ImportError, Imported, MAX_LINKS, MeshSource};
use crate::model::Inertial;

/// Most `<frame>` elements within each other.
const MAX_FRAMES: usize = 32;
/// Mass and radius of the ball between two joints of one body, where nothing is: enough for
/// physics to be well conditioned, too little to matter.
const BETWEEN_MASS: f64 = 1e-3;
const BETWEEN_RADIUS: f64 = 0.01;

/// Reads a document whose root is `<mujoco>`.
pub(super) fn read(
    text: &str,
    document: &Document<'_>,
    source: MeshSource<'_>,
) -> Result<Imported, ImportError> {
    let root = document.root_element();
    let reader = Reader::new(text);
    let compiler = reader.child(root, "compiler")?;
    let mut mjcf = Mjcf {
        angles: Angles::read(&reader, compiler)?,
        auto_limits: compiler.and_then(|c| c.attribute("autolimits")) != Some("false"),
        mesh_folder: mesh_folder(root),
        mesh_assets: assets(root, "mesh"),
        material_assets: assets(root, "material"),
        classes: Rc::new(Classes::read(&reader, root)?),
        meshes: Meshes::new(source),
        defaults: Defaults::new(),
        body_count: 0,
        joint_count: 0,
        reader,
    };
    let draft = mjcf.model(root, compiler)?;
    draft.finish(mjcf.reader)
}

/// The names of all meshes, as they are asked for.
pub(super) fn mesh_names(root: Element<'_>) -> Vec<String> {
    let folder = mesh_folder(root);
    let sections = children(root).filter(|element| element.has_tag_name("asset"));
    sections
        .flat_map(children)
        .filter(|element| element.has_tag_name("mesh"))
        .filter_map(|mesh| mesh.attribute("file"))
        .map(|file| joined(folder, file))
        .collect()
}

struct Mjcf<'a, 's> {
    reader: Reader,
    angles: Angles,
    auto_limits: bool,
    mesh_folder: &'a str,
    mesh_assets: HashMap<&'a str, Element<'a>>,
    material_assets: HashMap<&'a str, Element<'a>>,
    classes: Rc<Classes<'a>>,
    meshes: Meshes<'s>,
    defaults: Defaults,
    body_count: usize,
    joint_count: usize,
}

/// A body that waits to be read.
struct Pending<'a> {
    element: Element<'a>,
    class: ClassId,
    /// The link that it hangs from, if any.
    parent: Option<usize>,
    parent_from_frame: Isometry3<f64>,
}

/// Something in a body or frame: an element, its class, and the frames around it in the body's.
type Content<'a> = (Element<'a>, ClassId, Isometry3<f64>);

impl<'a> Mjcf<'a, '_> {
    fn model(
        &mut self,
        root: Element<'a>,
        compiler: Option<Element<'a>>,
    ) -> Result<Draft<'a>, ImportError> {
        self.note_sections(root, compiler);
        let mut draft = Draft {
            root,
            name: root.attribute("model").unwrap_or("arm").to_owned(),
            links: Vec::new(),
            joints: Vec::new(),
            sites: Vec::new(),
            home: None,
        };
        let mut pending = vec![self.base(root)?];
        while let Some(next) = pending.pop() {
            if draft.links.len() > MAX_LINKS {
                let problem = format!("is one body too many; expected at most {MAX_LINKS}");
                return Err(self.reader.error(next.element, problem));
            }
            let first = pending.len();
            self.body(next, &mut draft, &mut pending)?;
            // The last in is read first.
            pending[first..].reverse();
        }
        self.actuators(root, &mut draft.joints)?;
        draft.home = self.home(root, &draft.joints)?;
        Ok(draft)
    }

    /// The body that stands in the world.
    fn base(&mut self, root: Element<'a>) -> Result<Pending<'a>, ImportError> {
        let mut contents = Vec::new();
        for world in children(root).filter(|element| element.has_tag_name("worldbody")) {
            self.contents(world, 0, Isometry3::identity(), 0, &mut contents)?;
        }
        let mut base: Option<Pending<'a>> = None;
        for (element, class, parent_from_frame) in contents {
            if !element.has_tag_name("body") {
                self.reader.note_element(element);
                continue;
            }
            if let Some(base) = &base {
                let problem = format!(
                    "stands in the world, as {} does; expected one base",
                    describe(base.element)
                );
                return Err(self.reader.error(element, problem));
            }
            base = Some(Pending {
                element,
                class,
                parent: None,
                parent_from_frame,
            });
        }
        base.ok_or_else(|| {
            let problem = if root.descendants().any(|e| e.has_tag_name("include")) {
                "the model has no <body> in its <worldbody>, and an <include> is not followed; \
                 expected the file that has the arm"
            } else {
                "the model has no <body> in its <worldbody>; expected an arm"
            };
            self.reader.error(root, problem)
        })
    }

    /// Reads a body: its links and joints go to the draft, its child bodies to `pending`.
    fn body(
        &mut self,
        next: Pending<'a>,
        draft: &mut Draft<'a>,
        pending: &mut Vec<Pending<'a>>,
    ) -> Result<(), ImportError> {
        let element = next.element;
        self.body_count += 1;
        let known = [&PLACE[..], &["name", "childclass"]].concat();
        self.reader.note_attributes(element, &known);
        let name = element.attribute("name").filter(|name| !name.is_empty());
        let name = name.map_or_else(|| format!("body_{}", self.body_count), str::to_owned);
        let child_class = self.classes.named(&self.reader, element, "childclass")?;
        let class = child_class.unwrap_or(next.class);
        let place = self
            .angles
            .place(&self.reader, &self.classes.resolve(element, class))?;
        let parent_from_body = next.parent_from_frame * place;
        let mut contents = Vec::new();
        self.contents(element, class, Isometry3::identity(), 0, &mut contents)?;

        let mut joints = Vec::new();
        for (child, class, body_from_frame) in &contents {
            match child.tag_name().name() {
                "joint" => {
                    let mut joint = self.joint(*child, *class)?;
                    joint.anchor = (body_from_frame * nalgebra::Point3::from(joint.anchor)).coords;
                    joint.motion.axis = body_from_frame.rotation * joint.motion.axis;
                    joints.push(joint);
                }
                "freejoint" => {
                    let text = format!("<freejoint> is ignored: {} is fixed", describe(element));
                    self.reader.note(*child, text);
                }
                _ => {}
            }
        }
        let moves = !joints.is_empty();
        let parent = match next.parent {
            Some(parent) => Some(parent),
            // A base that is moved or turned hangs from a link that stands for the world.
            None if moves || parent_from_body != Isometry3::identity() => {
                draft.links.push(bare_link(element, "world".into()));
                Some(0)
            }
            None => None,
        };
        let body_from_link = joints
            .last()
            .map_or_else(Vector3::zeros, |joint| joint.anchor);
        let chain = (parent, parent_from_body);
        let link = self.hang(element, name, chain, joints, draft);

        let link_from_body = Isometry3::from_parts(
            Translation3::from(-body_from_link),
            UnitQuaternion::identity(),
        );
        let mut parts = Vec::new();
        for (child, class, body_from_frame) in contents {
            let link_from_frame = link_from_body * body_from_frame;
            match child.tag_name().name() {
                "joint" | "freejoint" => {}
                "geom" => {
                    let link = &mut draft.links[link];
                    self.geom(child, class, &link_from_frame, link, &mut parts)?;
                }
                "inertial" => {
                    let inertial = self.inertial(child, &link_from_frame)?;
                    draft.links[link].inertial = Some(inertial);
                }
                "site" => {
                    let known = [&PLACE[..], &KNOWN_OF_SITES].concat();
                    self.reader.note_attributes(child, &known);
                    if let Some(site) = child.attribute("name") {
                        let class = self
                            .classes
                            .named(&self.reader, child, "class")?
                            .unwrap_or(class);
                        let attributes = self.classes.resolve(child, class);
                        let place = self.angles.place(&self.reader, &attributes)?;
                        draft
                            .sites
                            .push((site.to_owned(), link, link_from_frame * place));
                    }
                }
                "body" => pending.push(Pending {
                    element: child,
                    class,
                    parent: Some(link),
                    parent_from_frame: link_from_frame,
                }),
                _ => self.reader.note_element(child),
            }
        }
        let link = &mut draft.links[link];
        if link.inertial.is_none() {
            link.inertial = Body::together(&parts).map(Body::to_inertial);
        }
        Ok(())
    }

    /// Adds the link of a body, and one between each two of its joints; tells the link's index.
    fn hang(
        &self,
        element: Element<'a>,
        name: String,
        (parent, parent_from_body): (Option<usize>, Isometry3<f64>),
        joints: Vec<BodyJoint<'a>>,
        draft: &mut Draft<'a>,
    ) -> usize {
        let Some(mut parent) = parent else {
            draft.links.push(bare_link(element, name));
            return draft.links.len() - 1;
        };
        if joints.is_empty() {
            draft.joints.push(DraftJoint {
                element,
                name: format!("{name}_fixed"),
                parent,
                child: draft.links.len(),
                parent_from_joint: parent_from_body,
                motion: None,
            });
            draft.links.push(bare_link(element, name));
            return draft.links.len() - 1;
        }
        let count = joints.len();
        let mut previous = Vector3::zeros();
        for (index, joint) in joints.into_iter().enumerate() {
            let step = Isometry3::from_parts(
                Translation3::from(joint.anchor - previous),
                UnitQuaternion::identity(),
            );
            previous = joint.anchor;
            let child = draft.links.len();
            let link = if index + 1 == count {
                bare_link(element, name.clone())
            } else {
                let ball = Body::of(&crate::Shape::Sphere {
                    radius: BETWEEN_RADIUS,
                });
                DraftLink {
                    inertial: Some(ball.with_mass(BETWEEN_MASS).to_inertial()),
                    ..bare_link(element, format!("{name}/{}", joint.name))
                }
            };
            draft.links.push(link);
            draft.joints.push(DraftJoint {
                element: joint.element,
                name: joint.name,
                parent,
                child,
                parent_from_joint: if index == 0 {
                    parent_from_body * step
                } else {
                    step
                },
                motion: Some(joint.motion),
            });
            parent = child;
        }
        parent
    }

    fn inertial(
        &mut self,
        element: Element<'a>,
        link_from_frame: &Isometry3<f64>,
    ) -> Result<Inertial, ImportError> {
        let known = [&PLACE[..], &["mass", "diaginertia", "fullinertia"]].concat();
        self.reader.note_attributes(element, &known);
        let attributes = self.classes.resolve(element, 0);
        let place = self.angles.place(&self.reader, &attributes)?;
        let mass = attributes.not_negative(&self.reader, "mass")?;
        let mass = mass.ok_or_else(|| self.reader.error(element, "has no `mass`; expected one"))?;
        let full = attributes.numbers(&self.reader, "fullinertia")?;
        let diagonal = attributes.numbers(&self.reader, "diaginertia")?;
        Ok(Inertial {
            mass,
            link_from_inertial: link_from_frame * place,
            inertia: match (full, diagonal) {
                (Some(full), _) => full,
                (None, Some([x, y, z])) => [x, y, z, 0.0, 0.0, 0.0],
                (None, None) => [0.0; 6],
            },
        })
    }

    /// What is in a body, through the frames in it.
    fn contents(
        &mut self,
        element: Element<'a>,
        class: ClassId,
        place: Isometry3<f64>,
        depth: usize,
        contents: &mut Vec<Content<'a>>,
    ) -> Result<(), ImportError> {
        for child in children(element) {
            if !child.has_tag_name("frame") {
                contents.push((child, class, place));
                continue;
            }
            if depth == MAX_FRAMES {
                let problem = format!("is too deep; expected at most {MAX_FRAMES} nested frames");
                return Err(self.reader.error(child, problem));
            }
            let known = [&PLACE[..], &["name", "childclass"]].concat();
            self.reader.note_attributes(child, &known);
            let child_class = self.classes.named(&self.reader, child, "childclass")?;
            let class = child_class.unwrap_or(class);
            let attributes = self.classes.resolve(child, class);
            let inner = place * self.angles.place(&self.reader, &attributes)?;
            self.contents(child, class, inner, depth + 1, contents)?;
        }
        Ok(())
    }

    /// The keyframe `home`, if it fits.
    fn home(
        &mut self,
        root: Element<'a>,
        joints: &[DraftJoint<'a>],
    ) -> Result<Option<Vec<f64>>, ImportError> {
        let sections = children(root).filter(|element| element.has_tag_name("keyframe"));
        let key = sections
            .flat_map(children)
            .find(|key| key.attribute("name") == Some("home"));
        let Some((key, text)) = key.and_then(|key| Some((key, key.attribute("qpos")?))) else {
            return Ok(None);
        };
        let moving = joints.iter().filter(|joint| joint.motion.is_some()).count();
        let home = self.reader.parse_list(key, "qpos", text, MAX_LINKS)?;
        if home.len() == moving {
            return Ok(Some(home));
        }
        let text = format!(
            "keyframe `home` has {} positions for {moving} joints",
            home.len()
        );
        self.reader.note(key, text);
        Ok(None)
    }
}

fn bare_link(element: Element<'_>, name: String) -> DraftLink<'_> {
    DraftLink {
        element,
        name,
        inertial: None,
        visuals: Vec::new(),
        colliders: Vec::new(),
    }
}

/// Where meshes are, relative to the model's file.
fn mesh_folder(root: Element<'_>) -> &str {
    let compilers = children(root).filter(|element| element.has_tag_name("compiler"));
    let mut folders = compilers.filter_map(|compiler| {
        compiler
            .attribute("meshdir")
            .or(compiler.attribute("assetdir"))
    });
    folders.next().unwrap_or_default()
}

/// Named assets of one kind. A mesh without a name has its file's.
fn assets<'a>(root: Element<'a>, tag: &str) -> HashMap<&'a str, Element<'a>> {
    let sections = children(root).filter(|element| element.has_tag_name("asset"));
    sections
        .flat_map(children)
        .filter(|element| element.has_tag_name(tag))
        .filter_map(|asset| {
            let file = || {
                let file = asset.attribute("file")?;
                let file = file.rsplit(['/', '\\']).next()?;
                Some(file.rsplit_once('.').map_or(file, |(stem, _)| stem))
            };
            Some((asset.attribute("name").or_else(file)?, asset))
        })
        .collect()
}

/// A file in a folder.
fn joined(folder: &str, file: &str) -> String {
    match folder.trim_end_matches('/') {
        "" => file.to_owned(),
        folder => format!("{folder}/{file}"),
    }
}
