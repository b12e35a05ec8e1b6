//! URDF.

use std::collections::HashMap;

use nalgebra::{Isometry3, Translation3, Unit, UnitQuaternion, Vector3};
use roxmltree::Document;

use super::draft::{Defaults, Draft, DraftJoint, DraftLink, Motion};
use super::meshes::{Meshes, without_scheme};
use super::xml::{Element, Reader, children, describe, quote};
use super::{ImportError, Imported, MeshSource};
use crate::model::{Inertial, JointKind, JointLimits, LinkCollider, Material, Visual};
use crate::shape::Shape;

/// Friction of a collider, of which URDF says nothing: printed plastic.
const FRICTION: f64 = 0.5;

/// Reads a document whose root is `<robot>`.
pub(super) fn read(
    text: &str,
    document: &Document<'_>,
    source: MeshSource<'_>,
) -> Result<Imported, ImportError> {
    let mut urdf = Urdf {
        reader: Reader::new(text),
        meshes: Meshes::new(source),
        materials: HashMap::new(),
        defaults: Defaults::new(),
    };
    let draft = urdf.robot(document.root_element())?;
    draft.finish(urdf.reader)
}

/// The names of all meshes, as they are asked for.
pub(super) fn mesh_names(root: Element<'_>) -> Vec<String> {
    root.descendants()
        .filter(|element| element.has_tag_name("mesh"))
        .filter_map(|mesh| mesh.attribute("filename"))
        .map(|name| without_scheme(name).to_owned())
        .collect()
}

struct Urdf<'a, 's> {
    reader: Reader,
    meshes: Meshes<'s>,
    /// Colours of the robot's materials by name.
    materials: HashMap<&'a str, [f32; 4]>,
    defaults: Defaults,
}

impl<'a> Urdf<'a, '_> {
    fn robot(&mut self, root: Element<'a>) -> Result<Draft<'a>, ImportError> {
        self.reader.note_attributes(root, &["name", "version"]);
        // Materials may be named before they are defined, even inside links.
        for material in root.descendants().filter(|e| e.has_tag_name("material")) {
            if let (Some(name), Some(color)) = (material.attribute("name"), self.color(material)?) {
                self.materials.insert(name, color);
            }
        }
        let mut links = Vec::new();
        let mut index_of = HashMap::new();
        for element in children(root) {
            match element.tag_name().name() {
                "link" => {
                    let link = self.link(element)?;
                    index_of.entry(link.name.clone()).or_insert(links.len());
                    links.push(link);
                }
                "material" => {
                    self.reader.note_attributes(element, &["name"]);
                    self.note_children(element, &["color"]);
                }
                "joint" => {}
                _ => self.reader.note_element(element),
            }
        }
        let mut joints = Vec::new();
        for element in children(root).filter(|element| element.has_tag_name("joint")) {
            joints.push(self.joint(element, &index_of)?);
        }
        Ok(Draft {
            root,
            name: root.attribute("name").unwrap_or("arm").to_owned(),
            links,
            joints,
            sites: Vec::new(),
            home: None,
        })
    }

    fn link(&mut self, element: Element<'a>) -> Result<DraftLink<'a>, ImportError> {
        let name = self.reader.required(element, "name")?.to_owned();
        self.reader.note_attributes(element, &["name"]);
        self.note_children(element, &["inertial", "visual", "collision"]);
        let inertial = match self.reader.child(element, "inertial")? {
            Some(inertial) => Some(self.inertial(inertial)?),
            None => None,
        };
        let mut link = DraftLink {
            element,
            name,
            inertial,
            visuals: Vec::new(),
            colliders: Vec::new(),
        };
        for part in children(element) {
            match part.tag_name().name() {
                "visual" => {
                    self.reader.note_attributes(part, &["name"]);
                    self.note_children(part, &["origin", "geometry", "material"]);
                    let material = self.material(part)?;
                    if let Some((link_from_shape, shape)) = self.geometry(part)? {
                        link.visuals.push(Visual {
                            link_from_shape,
                            shape,
                            material,
                        });
                    }
                }
                "collision" => {
                    self.reader.note_attributes(part, &["name"]);
                    self.note_children(part, &["origin", "geometry"]);
                    if let Some((link_from_shape, shape)) = self.geometry(part)? {
                        link.colliders.push(LinkCollider {
                            link_from_shape,
                            shape,
                            friction: FRICTION,
                        });
                    }
                }
                _ => {}
            }
        }
        Ok(link)
    }

    fn inertial(&mut self, element: Element<'a>) -> Result<Inertial, ImportError> {
        self.note_children(element, &["origin", "mass", "inertia"]);
        let reader = &mut self.reader;
        let Some(mass_element) = reader.child(element, "mass")? else {
            return Err(reader.error(element, "has no <mass>; expected one"));
        };
        reader.note_attributes(mass_element, &["value"]);
        let value = reader.required(mass_element, "value")?;
        let [mass] = reader.parse_numbers(mass_element, "value", value)?;
        if mass < 0.0 {
            return Err(reader.error(mass_element, format!("is {mass}; expected 0 or more")));
        }
        const PARTS: [&str; 6] = ["ixx", "iyy", "izz", "ixy", "ixz", "iyz"];
        let mut inertia = [0.0; 6];
        if let Some(element) = reader.child(element, "inertia")? {
            reader.note_attributes(element, &PARTS);
            for (value, name) in inertia.iter_mut().zip(PARTS) {
                *value = reader.number(element, name)?.unwrap_or(0.0);
            }
        }
        Ok(Inertial {
            mass,
            link_from_inertial: self.origin(element)?,
            inertia,
        })
    }

    /// Place and shape of a visual or collision; `None` for a mesh of a format we do not read.
    fn geometry(
        &mut self,
        part: Element<'a>,
    ) -> Result<Option<(Isometry3<f64>, Shape)>, ImportError> {
        let origin = self.origin(part)?;
        let Some(geometry) = self.reader.child(part, "geometry")? else {
            return Err(self.reader.error(part, "has no <geometry>; expected one"));
        };
        let mut shapes = children(geometry);
        let (Some(element), None) = (shapes.next(), shapes.next()) else {
            return Err(self.reader.error(
                geometry,
                "expected exactly one of <box>, <cylinder>, <sphere>, <capsule>, <mesh>",
            ));
        };
        let tag = element.tag_name().name();
        let shape = match tag {
            "box" => {
                self.reader.note_attributes(element, &["size"]);
                let half_extents = self.lengths::<3>(element, "size")?.map(|side| side / 2.0);
                Shape::Box { half_extents }
            }
            "cylinder" | "capsule" => {
                self.reader.note_attributes(element, &["radius", "length"]);
                let [radius] = self.lengths(element, "radius")?;
                let [length] = self.lengths(element, "length")?;
                let half_length = length / 2.0;
                if tag == "cylinder" {
                    Shape::Cylinder {
                        radius,
                        half_length,
                    }
                } else {
                    Shape::Capsule {
                        radius,
                        half_length,
                    }
                }
            }
            "sphere" => {
                self.reader.note_attributes(element, &["radius"]);
                let [radius] = self.lengths(element, "radius")?;
                Shape::Sphere { radius }
            }
            "mesh" => {
                self.reader.note_attributes(element, &["filename", "scale"]);
                let name = without_scheme(self.reader.required(element, "filename")?);
                let scale = self.reader.numbers(element, "scale")?.unwrap_or([1.0; 3]);
                match self.meshes.load(&mut self.reader, element, name, scale)? {
                    Some(shape) => shape,
                    None => return Ok(None),
                }
            }
            _ => {
                return Err(self.reader.error(
                    element,
                    "is no shape; expected <box>, <cylinder>, <sphere>, <capsule> or <mesh>",
                ));
            }
        };
        Ok(Some((origin, shape)))
    }

    fn material(&mut self, visual: Element<'a>) -> Result<Material, ImportError> {
        let Some(element) = self.reader.child(visual, "material")? else {
            return Ok(Material::Printed);
        };
        self.reader.note_attributes(element, &["name"]);
        self.note_children(element, &["color"]);
        if let Some(color) = self.color(element)? {
            return Ok(Material::Color(color));
        }
        let name = element.attribute("name").unwrap_or_default();
        match self.materials.get(name) {
            Some(color) => Ok(Material::Color(*color)),
            None => {
                let text = format!("material `{}` has no colour", quote(name));
                self.reader.note(element, text);
                Ok(Material::Printed)
            }
        }
    }

    fn color(&self, material: Element<'a>) -> Result<Option<[f32; 4]>, ImportError> {
        let Some(element) = self.reader.child(material, "color")? else {
            return Ok(None);
        };
        let color = self.reader.numbers::<4>(element, "rgba")?;
        Ok(color.map(|color| color.map(|part| part.clamp(0.0, 1.0) as f32)))
    }

    fn joint(
        &mut self,
        element: Element<'a>,
        index_of: &HashMap<String, usize>,
    ) -> Result<DraftJoint<'a>, ImportError> {
        let name = self.reader.required(element, "name")?.to_owned();
        self.reader.note_attributes(element, &["name", "type"]);
        let kind = match self.reader.required(element, "type")? {
            "revolute" | "continuous" => Some(JointKind::Revolute),
            "prismatic" => Some(JointKind::Prismatic),
            "fixed" => None,
            other => {
                return Err(self.reader.error(
                    element,
                    format!(
                        "is of type `{}`; expected revolute, continuous, prismatic or fixed",
                        quote(other)
                    ),
                ));
            }
        };
        let known = [
            "parent", "child", "origin", "axis", "limit", "dynamics", "mimic",
        ];
        // What only a moving joint has is no loss for a fixed one.
        self.note_children(element, &known);
        let mut ends = [0; 2];
        for (end, tag) in ends.iter_mut().zip(["parent", "child"]) {
            let Some(part) = self.reader.child(element, tag)? else {
                return Err(self
                    .reader
                    .error(element, format!("has no <{tag}>; expected one")));
            };
            self.reader.note_attributes(part, &["link"]);
            let link = self.reader.required(part, "link")?;
            *end = *index_of.get(link).ok_or_else(|| {
                let problem = format!("names link `{}`, which does not exist", quote(link));
                self.reader.error(part, problem)
            })?;
        }
        let motion = match kind {
            Some(kind) => Some(self.motion(element, kind)?),
            None => None,
        };
        Ok(DraftJoint {
            element,
            name,
            parent: ends[0],
            child: ends[1],
            parent_from_joint: self.origin(element)?,
            motion,
        })
    }

    fn motion(&mut self, element: Element<'a>, kind: JointKind) -> Result<Motion, ImportError> {
        let reader = &mut self.reader;
        if let Some(mimic) = reader.child(element, "mimic")? {
            reader.note(
                mimic,
                format!("<mimic> is ignored: {} moves by itself", describe(element)),
            );
        }
        let axis = match reader.child(element, "axis")? {
            None => Vector3::x(),
            Some(axis) => {
                reader.note_attributes(axis, &["xyz"]);
                Vector3::from(reader.numbers(axis, "xyz")?.unwrap_or([1.0, 0.0, 0.0]))
            }
        };
        let Some(axis) = Unit::try_new(axis, 1e-9) else {
            return Err(reader.error(element, "has an axis of length 0; expected a direction"));
        };
        let mut servo = self.defaults.servo(kind);
        if let Some(dynamics) = reader.child(element, "dynamics")? {
            reader.note_attributes(dynamics, &["damping", "friction"]);
            for (name, value) in [
                ("damping", &mut servo.damping),
                ("friction", &mut servo.friction_loss),
            ] {
                *value = reader.number(dynamics, name)?.unwrap_or(*value);
                if *value < 0.0 {
                    let problem = format!("{name} is {value}; expected 0 or more");
                    return Err(reader.error(dynamics, problem));
                }
            }
        }
        let limits = self.limits(element, kind)?;
        Ok(Motion {
            kind,
            axis,
            limits,
            servo,
        })
    }

    fn limits(
        &mut self,
        element: Element<'a>,
        kind: JointKind,
    ) -> Result<JointLimits, ImportError> {
        let reader = &mut self.reader;
        let continuous = element.attribute("type") == Some("continuous");
        let limit = reader.child(element, "limit")?;
        if limit.is_none() && !continuous {
            return Err(reader.error(element, "has no <limit>; expected one"));
        }
        let mut limits = JointLimits {
            lower: 0.0,
            upper: 0.0,
            velocity: self.defaults.velocity(kind),
            effort: self.defaults.effort(kind),
        };
        if let Some(limit) = limit {
            reader.note_attributes(limit, &["lower", "upper", "effort", "velocity"]);
            limits.lower = reader.number(limit, "lower")?.unwrap_or(0.0);
            limits.upper = reader.number(limit, "upper")?.unwrap_or(0.0);
            if !continuous && limits.lower >= limits.upper {
                return Err(reader.error(
                    limit,
                    format!(
                        "of {}: lower is {} and upper is {}; expected lower below upper",
                        describe(element),
                        limits.lower,
                        limits.upper
                    ),
                ));
            }
            for (name, value) in [
                ("velocity", &mut limits.velocity),
                ("effort", &mut limits.effort),
            ] {
                match reader.number(limit, name)? {
                    Some(found) if found > 0.0 => *value = found,
                    Some(found) if found < 0.0 => {
                        return Err(reader.error(
                            limit,
                            format!("{name} is {found}; expected a number above 0"),
                        ));
                    }
                    _ => reader.note(limit, format!("no {name} limit is given; {value} is used")),
                }
            }
        }
        if continuous {
            (limits.lower, limits.upper) = (-std::f64::consts::TAU, std::f64::consts::TAU);
            reader.note(
                element,
                "a continuous joint is limited to one turn each way".to_owned(),
            );
        }
        Ok(limits)
    }

    /// The element's `<origin>`; the identity without one.
    fn origin(&mut self, element: Element<'a>) -> Result<Isometry3<f64>, ImportError> {
        let Some(origin) = self.reader.child(element, "origin")? else {
            return Ok(Isometry3::identity());
        };
        self.reader.note_attributes(origin, &["xyz", "rpy"]);
        let xyz = self.reader.numbers(origin, "xyz")?.unwrap_or([0.0; 3]);
        let [roll, pitch, yaw] = self.reader.numbers(origin, "rpy")?.unwrap_or([0.0; 3]);
        Ok(Isometry3::from_parts(
            Translation3::from(Vector3::from(xyz)),
            UnitQuaternion::from_euler_angles(roll, pitch, yaw),
        ))
    }

    /// Numbers above zero from an attribute that must be there.
    fn lengths<const N: usize>(
        &self,
        element: Element<'a>,
        name: &str,
    ) -> Result<[f64; N], ImportError> {
        let value = self.reader.required(element, name)?;
        let lengths = self.reader.parse_numbers(element, name, value)?;
        if lengths.iter().all(|length| *length > 0.0) {
            Ok(lengths)
        } else {
            let problem = format!("{name}=\"{}\"; expected metres above 0", quote(value));
            Err(self.reader.error(element, problem))
        }
    }

    fn note_children(&mut self, element: Element<'a>, known: &[&str]) {
        for child in children(element) {
            if !known.contains(&child.tag_name().name()) {
                self.reader.note_element(child);
            }
        }
    }
}
