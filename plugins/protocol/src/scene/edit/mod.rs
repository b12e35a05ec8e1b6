//! Changes to a scene as values, and what they make of it: the core of the scene editor.
//!
//! [`Edit::apply`] makes a new scene of an old one, checked, or says what is wrong. [`Editor`] keeps
//! the steps so that each can be undone. [`moved()`] turns what a hand does in the picture into an
//! edit, [`add`] makes new things with names and places of their own.
//!
//! Nothing here knows files, windows or time. Metres, degrees and frames are the scene's.

pub mod add;
mod editor;
mod motion;
mod rotation;

pub use editor::Editor;
pub use motion::{
    MOVE_SNAP_M, Motion, SIZE_SNAP_M, TURN_SNAP_DEGREES, lowest, moved, on_table, resized,
};

use super::{
    ArmSpec, CameraMount, CameraSpec, LightSpec, ObjectSpec, PhysicsSpec, Scene, SceneProblem,
    TableSpec,
};

/// Something in a scene that can be chosen and changed; indices are those of the scene's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Item {
    /// The scene itself: name, description, physics.
    Scene,
    /// The table.
    Table,
    /// An arm.
    Arm(usize),
    /// A thing on the table.
    Object(usize),
    /// A camera.
    Camera(usize),
    /// The point that a camera in the room looks at.
    LookAt(usize),
    /// A light.
    Light(usize),
}

/// Something that can be added to a scene.
#[derive(Debug, Clone, PartialEq)]
pub enum Thing {
    /// An arm.
    Arm(ArmSpec),
    /// A thing on the table.
    Object(ObjectSpec),
    /// A camera.
    Camera(CameraSpec),
    /// A light.
    Light(LightSpec),
}

/// A change to a scene.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// One more thing, at the end of its list.
    Add(Thing),
    /// The same thing once more, with a name and a place of its own.
    Duplicate(Item),
    /// One thing less; with an arm go the cameras that ride on it.
    Remove(Item),
    /// An arm as it should be. Cameras that ride on it follow a new name.
    Arm(usize, ArmSpec),
    /// An object as it should be.
    Object(usize, ObjectSpec),
    /// A camera as it should be.
    Camera(usize, CameraSpec),
    /// A light as it should be.
    Light(usize, LightSpec),
    /// The table as it should be.
    Table(TableSpec),
    /// What the scene is called.
    About {
        /// Its name.
        name: String,
        /// One sentence about it.
        description: String,
    },
    /// How the simulation runs.
    Physics(PhysicsSpec),
}

/// What an edit has made.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The new scene; it is good.
    pub scene: Scene,
    /// What was done, for a list of steps: `Move cube`.
    pub name: String,
    /// What should be chosen now, if that is something else than before.
    pub select: Option<Option<Item>>,
}

impl Edit {
    /// Makes the change on a copy of `scene` and checks it.
    ///
    /// # Errors
    /// The field at fault, what was found and what is allowed; or there is no such thing.
    pub fn apply(&self, scene: &Scene) -> Result<Applied, SceneProblem> {
        let mut new = scene.clone();
        let (name, select) = match self {
            Self::Add(thing) => {
                let item = push(&mut new, thing.clone());
                (format!("Add {}", new.name_of(item)), Some(Some(item)))
            }
            Self::Duplicate(item) => {
                let copy = add::copy(scene, *item).ok_or_else(|| missing(*item))?;
                let item = push(&mut new, copy);
                (format!("Duplicate {}", new.name_of(item)), Some(Some(item)))
            }
            Self::Remove(item) => {
                let name = scene.name_of(*item);
                remove(&mut new, *item).ok_or_else(|| missing(*item))?;
                let cameras = scene.cameras.len() - new.cameras.len();
                let riding = match (item, cameras) {
                    (Item::Arm(_), 1) => " and its camera",
                    (Item::Arm(_), 2..) => " and its cameras",
                    _ => "",
                };
                (format!("Delete {name}{riding}"), Some(None))
            }
            Self::Arm(index, arm) => {
                let item = Item::Arm(*index);
                let old = new.arms.get_mut(*index).ok_or_else(|| missing(item))?;
                let before = std::mem::replace(old, arm.clone());
                follow_name(&mut new, &before.name, &arm.name);
                (
                    format!("{} {}", arm_verb(&before, arm), scene.name_of(item)),
                    None,
                )
            }
            Self::Object(index, object) => {
                let item = Item::Object(*index);
                let old = new.objects.get_mut(*index).ok_or_else(|| missing(item))?;
                let before = std::mem::replace(old, object.clone());
                (
                    format!("{} {}", object_verb(&before, object), scene.name_of(item)),
                    None,
                )
            }
            Self::Camera(index, camera) => {
                let item = Item::Camera(*index);
                let old = new.cameras.get_mut(*index).ok_or_else(|| missing(item))?;
                let before = std::mem::replace(old, camera.clone());
                (
                    format!("{} {}", camera_verb(&before, camera), scene.name_of(item)),
                    None,
                )
            }
            Self::Light(index, light) => {
                let item = Item::Light(*index);
                *new.lights.get_mut(*index).ok_or_else(|| missing(item))? = *light;
                (format!("Change {}", scene.name_of(item)), None)
            }
            Self::Table(table) => {
                new.table = *table;
                ("Change the table".to_owned(), None)
            }
            Self::About { name, description } => {
                new.name.clone_from(name);
                new.description.clone_from(description);
                ("Rename the scene".to_owned(), None)
            }
            Self::Physics(physics) => {
                new.physics = *physics;
                ("Change physics".to_owned(), None)
            }
        };
        new.check()?;
        Ok(Applied {
            scene: new,
            name,
            select,
        })
    }
}

impl Scene {
    /// What people call a thing of this scene; empty if there is no such thing.
    #[must_use]
    pub fn name_of(&self, item: Item) -> String {
        match item {
            Item::Scene => "the scene".to_owned(),
            Item::Table => "the table".to_owned(),
            Item::Arm(index) => self
                .arms
                .get(index)
                .map(|arm| arm.name.clone())
                .unwrap_or_default(),
            Item::Object(index) => self
                .objects
                .get(index)
                .map(|object| object.name.clone())
                .unwrap_or_default(),
            Item::Camera(index) => self
                .cameras
                .get(index)
                .map(|camera| camera.name.clone())
                .unwrap_or_default(),
            Item::LookAt(index) => self
                .cameras
                .get(index)
                .map(|camera| format!("{}'s aim", camera.name))
                .unwrap_or_default(),
            Item::Light(index) => match self.lights.get(index) {
                Some(light) => format!("{} {}", light.kind().to_lowercase(), index + 1),
                None => String::new(),
            },
        }
    }

    /// Whether there is such a thing.
    #[must_use]
    pub fn has(&self, item: Item) -> bool {
        match item {
            Item::Scene | Item::Table => true,
            Item::Arm(index) => index < self.arms.len(),
            Item::Object(index) => index < self.objects.len(),
            Item::Camera(index) => index < self.cameras.len(),
            Item::LookAt(index) => {
                let camera = self.cameras.get(index);
                camera.is_some_and(|camera| matches!(camera.mount, CameraMount::World { .. }))
            }
            Item::Light(index) => index < self.lights.len(),
        }
    }
}

impl Item {
    /// What the fields of this thing begin with in a [`SceneProblem`]: `objects[2].`.
    #[must_use]
    pub fn field(self) -> String {
        match self {
            Self::Scene => String::new(),
            Self::Table => "table.".to_owned(),
            Self::Arm(index) => format!("arms[{index}]."),
            Self::Object(index) => format!("objects[{index}]."),
            Self::Camera(index) | Self::LookAt(index) => format!("cameras[{index}]."),
            Self::Light(index) => format!("lights[{index}]."),
        }
    }
}

impl LightSpec {
    /// What kind of light it is, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sun { .. } => "Sun",
            Self::Point { .. } => "Lamp",
            Self::Ambient { .. } => "Ambient light",
        }
    }
}

fn missing(item: Item) -> SceneProblem {
    let problem = match item {
        Item::Scene | Item::Table => {
            "is always there, once; choose an arm, object, camera or light"
        }
        _ => "is not in the scene; choose something that is",
    };
    SceneProblem {
        field: item.field().trim_end_matches('.').to_owned(),
        problem: problem.to_owned(),
    }
}

fn push(scene: &mut Scene, thing: Thing) -> Item {
    match thing {
        Thing::Arm(arm) => {
            scene.arms.push(arm);
            Item::Arm(scene.arms.len() - 1)
        }
        Thing::Object(object) => {
            scene.objects.push(object);
            Item::Object(scene.objects.len() - 1)
        }
        Thing::Camera(camera) => {
            scene.cameras.push(camera);
            Item::Camera(scene.cameras.len() - 1)
        }
        Thing::Light(light) => {
            scene.lights.push(light);
            Item::Light(scene.lights.len() - 1)
        }
    }
}

/// `None` if there is no such thing, or it can't be removed.
fn remove(scene: &mut Scene, item: Item) -> Option<()> {
    fn from<T>(list: &mut Vec<T>, index: usize) -> Option<T> {
        (index < list.len()).then(|| list.remove(index))
    }
    match item {
        Item::Scene | Item::Table | Item::LookAt(_) => None,
        Item::Arm(index) => {
            let arm = from(&mut scene.arms, index)?;
            scene.cameras.retain(|camera| !rides_on(camera, &arm.name));
            Some(())
        }
        Item::Object(index) => from(&mut scene.objects, index).map(drop),
        Item::Camera(index) => from(&mut scene.cameras, index).map(drop),
        Item::Light(index) => from(&mut scene.lights, index).map(drop),
    }
}

fn rides_on(camera: &CameraSpec, name: &str) -> bool {
    matches!(&camera.mount, CameraMount::Link { arm, .. } if arm == name)
}

fn follow_name(scene: &mut Scene, before: &str, now: &str) {
    for camera in &mut scene.cameras {
        if let CameraMount::Link { arm, .. } = &mut camera.mount
            && arm == before
        {
            now.clone_into(arm);
        }
    }
}

fn arm_verb(before: &ArmSpec, now: &ArmSpec) -> &'static str {
    verb(&[
        (before.name != now.name, "Rename"),
        (before.position != now.position, "Move"),
        (before.yaw_degrees != now.yaw_degrees, "Turn"),
        (before.color != now.color, "Colour"),
        (before.home_degrees != now.home_degrees, "Pose"),
    ])
}

fn object_verb(before: &ObjectSpec, now: &ObjectSpec) -> &'static str {
    // A new size may move what stands on the table.
    verb(&[
        (before.name != now.name, "Rename"),
        (before.shape != now.shape, "Resize"),
        (before.position != now.position, "Move"),
        (before.rotation_degrees != now.rotation_degrees, "Turn"),
        (before.color != now.color, "Colour"),
    ])
}

fn camera_verb(before: &CameraSpec, now: &CameraSpec) -> &'static str {
    verb(&[
        (before.name != now.name, "Rename"),
        (before.mount != now.mount, "Move"),
    ])
}

fn verb(changes: &[(bool, &'static str)]) -> &'static str {
    changes
        .iter()
        .find(|(changed, _)| *changed)
        .map_or("Change", |(_, verb)| verb)
}

#[cfg(test)]
mod tests;
