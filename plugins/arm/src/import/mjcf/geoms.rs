//! MJCF's geoms: what is drawn, what collides, what weighs.

use nalgebra::{Isometry3, Translation3, Vector3};

use super::classes::{ClassId, Resolved};
use super::frames::{PLACE, z_towards};
use super::{Mjcf, joined};
use crate::import::ImportError;
use crate::import::draft::DraftLink;
use crate::import::inertia::{Body, DENSITY};
use crate::import::xml::{Element, quote};
use crate::model::{LinkCollider, Material, Visual};
use crate::shape::Shape;

/// Attributes of geoms that are used, besides those that place them.
pub(super) const KNOWN: [&str; 14] = [
    "name",
    "class",
    "type",
    "size",
    "fromto",
    "mesh",
    "material",
    "rgba",
    "contype",
    "conaffinity",
    "group",
    "friction",
    "mass",
    "density",
];
/// Groups up to this one are drawn, as MuJoCo does by itself.
const LAST_DRAWN_GROUP: f64 = 2.0;

impl<'a> Mjcf<'a, '_> {
    /// Adds a geom to a link, and to `parts` what it weighs.
    pub(super) fn geom(
        &mut self,
        element: Element<'a>,
        class: ClassId,
        link_from_parent: &Isometry3<f64>,
        link: &mut DraftLink<'a>,
        parts: &mut Vec<Body>,
    ) -> Result<(), ImportError> {
        let classes = self.classes.clone();
        let class = classes
            .named(&self.reader, element, "class")?
            .unwrap_or(class);
        let geom = classes.resolve(element, class);
        self.reader
            .note_attributes(element, &[&KNOWN[..], &PLACE[..]].concat());
        let Some((parent_from_shape, shape)) = self.shape(&geom)? else {
            return Ok(());
        };
        let link_from_shape = link_from_parent * parent_from_shape;
        let reader = &self.reader;

        let unit = Body::of(&shape);
        let density = geom.not_negative(reader, "density")?.unwrap_or(DENSITY);
        let mass = geom.not_negative(reader, "mass")?;
        let mass = mass.unwrap_or(unit.mass * density);
        if mass > 0.0 {
            parts.push(unit.with_mass(mass).placed(&link_from_shape));
        }

        let bits = |name| -> Result<bool, ImportError> {
            Ok(geom.number(reader, name)?.unwrap_or(1.0) != 0.0)
        };
        if bits("contype")? || bits("conaffinity")? {
            let friction = geom.list(reader, "friction", 3)?;
            let friction = friction
                .and_then(|list| list.first().copied())
                .unwrap_or(1.0);
            if friction < 0.0 {
                let problem = format!("friction is {friction}; expected 0 or more");
                return Err(reader.error(element, problem));
            }
            link.colliders.push(LinkCollider {
                link_from_shape,
                shape: shape.clone(),
                friction,
            });
        }
        if geom.number(reader, "group")?.unwrap_or(0.0) <= LAST_DRAWN_GROUP {
            link.visuals.push(Visual {
                link_from_shape,
                shape,
                material: self.color(&geom)?,
            });
        }
        Ok(())
    }

    /// Place and shape of a geom; `None` (and a note) for one that has no counterpart.
    fn shape(
        &mut self,
        geom: &Resolved<'a, '_>,
    ) -> Result<Option<(Isometry3<f64>, Shape)>, ImportError> {
        let element = geom.element;
        let mut place = self.angles.place(&self.reader, geom)?;
        let kind = geom.text("type").unwrap_or("sphere");
        if kind == "mesh" {
            return Ok(self.mesh(geom)?.map(|shape| (place, shape)));
        }
        let Some(count) = (match kind {
            "sphere" => Some(1),
            "capsule" | "cylinder" => Some(2),
            "box" => Some(3),
            "plane" | "hfield" | "ellipsoid" | "sdf" => None,
            other => {
                let problem = format!(
                    "is of type `{}`; expected sphere, capsule, cylinder, box or mesh",
                    quote(other)
                );
                return Err(self.reader.error(element, problem));
            }
        }) else {
            let text = format!("geoms of type `{kind}` are left out");
            self.reader.note(element, text);
            return Ok(None);
        };
        if geom.text("mesh").is_some() {
            let text = format!("a {kind} fitted to a mesh is left out");
            self.reader.note(element, text);
            return Ok(None);
        }
        let mut size = geom.list(&self.reader, "size", 3)?.unwrap_or_default();
        let ends = if matches!(kind, "capsule" | "cylinder" | "box") {
            geom.numbers::<6>(&self.reader, "fromto")?
        } else {
            None
        };
        if let Some([a, b, c, d, e, f]) = ends {
            let (from, to) = (Vector3::new(a, b, c), Vector3::new(d, e, f));
            let Some(turn) = z_towards(&(to - from)) else {
                let problem = "fromto has no length; expected two different points";
                return Err(self.reader.error(element, problem));
            };
            place = Isometry3::from_parts(Translation3::from((from + to) / 2.0), turn);
            size.truncate(count - 1);
            if kind == "box" && size.len() == 1 {
                size.push(size[0]);
            }
            size.push((to - from).norm() / 2.0);
        }
        if size.len() < count || size[..count].iter().any(|length| *length <= 0.0) {
            let problem = format!("size is {size:?}; a {kind} needs {count} above 0");
            return Err(self.reader.error(element, problem));
        }
        let shape = match kind {
            "sphere" => Shape::Sphere { radius: size[0] },
            "capsule" => Shape::Capsule {
                radius: size[0],
                half_length: size[1],
            },
            "cylinder" => Shape::Cylinder {
                radius: size[0],
                half_length: size[1],
            },
            _ => Shape::Box {
                half_extents: [size[0], size[1], size[2]],
            },
        };
        Ok(Some((place, shape)))
    }

    fn mesh(&mut self, geom: &Resolved<'a, '_>) -> Result<Option<Shape>, ImportError> {
        let Some(name) = geom.text("mesh") else {
            return Err(self
                .reader
                .error(geom.element, "has no `mesh`; expected an asset's name"));
        };
        let Some(asset) = self.mesh_assets.get(name).copied() else {
            let problem = format!(
                "mesh `{}` is not defined; expected one in <asset>",
                quote(name)
            );
            return Err(self.reader.error(geom.element, problem));
        };
        let classes = self.classes.clone();
        let class = classes.named(&self.reader, asset, "class")?.unwrap_or(0);
        let attributes = classes.resolve(asset, class);
        let scale = attributes
            .numbers(&self.reader, "scale")?
            .unwrap_or([1.0; 3]);
        let Some(file) = attributes.text("file") else {
            self.reader.note(asset, "a mesh without a file is left out");
            return Ok(None);
        };
        let name = joined(self.mesh_folder, file);
        self.meshes.load(&mut self.reader, asset, &name, scale)
    }

    fn color(&self, geom: &Resolved<'a, '_>) -> Result<Material, ImportError> {
        let to_color =
            |color: [f64; 4]| Material::Color(color.map(|part| part.clamp(0.0, 1.0) as f32));
        if let Some(color) = geom.numbers(&self.reader, "rgba")? {
            return Ok(to_color(color));
        }
        let Some(name) = geom.text("material") else {
            return Ok(Material::Printed);
        };
        let Some(asset) = self.material_assets.get(name) else {
            let problem = format!(
                "material `{}` is not defined; expected one in <asset>",
                quote(name)
            );
            return Err(self.reader.error(geom.element, problem));
        };
        let class = self
            .classes
            .named(&self.reader, *asset, "class")?
            .unwrap_or(0);
        let attributes = self.classes.resolve(*asset, class);
        let color = attributes.numbers(&self.reader, "rgba")?;
        Ok(color.map_or(Material::Printed, to_color))
    }
}
