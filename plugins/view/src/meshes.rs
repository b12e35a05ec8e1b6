//! Bevy meshes from shapes and models.

use std::sync::Arc;

use bevy::asset::RenderAssetUsages;
use bevy::mesh::{Indices, PrimitiveTopology};
use bevy::prelude::*;
use forearm_arm::{ArmModel, Material, TriMesh, mesh};
use nalgebra::{Isometry3, Point3};

/// Vertices of several solids, gathered into one mesh: one draw call.
#[derive(Debug, Default)]
pub(crate) struct MeshBuilder {
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    indices: Vec<u32>,
}

impl MeshBuilder {
    pub(crate) fn add(&mut self, solid: &TriMesh, place: &Isometry3<f64>) {
        let first = self.positions.len() as u32;
        let place = place.cast::<f32>();
        self.positions.extend(solid.positions.iter().map(|p| {
            let point = place * Point3::from(*p);
            [point.x, point.y, point.z]
        }));
        self.normals.extend(solid.normals.iter().map(|n| {
            let normal = place * nalgebra::Vector3::from(*n);
            [normal.x, normal.y, normal.z]
        }));
        self.indices
            .extend(solid.triangles.iter().flatten().map(|index| first + index));
    }

    pub(crate) fn build(self) -> Mesh {
        Mesh::new(
            PrimitiveTopology::TriangleList,
            RenderAssetUsages::RENDER_WORLD,
        )
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, self.positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, self.normals)
        .with_inserted_indices(Indices::U32(self.indices))
    }
}

/// The meshes of one link.
#[derive(Debug, Clone, Default)]
pub(crate) struct LinkMeshes {
    /// One mesh for each material.
    pub(crate) by_material: Vec<(Material, Handle<Mesh>)>,
    /// All of it, for the ghost; `None` for a link without looks.
    pub(crate) whole: Option<Handle<Mesh>>,
}

/// Meshes of the models in use, so that arms of the same model, their ghosts and the next scene
/// share them.
#[derive(Resource, Debug, Default)]
pub(crate) struct ModelMeshes(Vec<(Arc<ArmModel>, Arc<Vec<LinkMeshes>>)>);

impl ModelMeshes {
    /// Forgets models that none of `used` is.
    pub(crate) fn retain(&mut self, used: &[Arc<ArmModel>]) {
        self.0
            .retain(|(model, _)| used.iter().any(|other| same(model, other)));
    }

    pub(crate) fn of(
        &mut self,
        model: &Arc<ArmModel>,
        meshes: &mut Assets<Mesh>,
    ) -> Arc<Vec<LinkMeshes>> {
        if let Some((_, links)) = self.0.iter().find(|(known, _)| same(known, model)) {
            return Arc::clone(links);
        }
        let links = model.links.iter().map(|link| {
            let mut groups: Vec<(Material, MeshBuilder)> = Vec::new();
            let mut whole = MeshBuilder::default();
            for visual in &link.visuals {
                let solid = mesh::triangulate(&visual.shape);
                whole.add(&solid, &visual.link_from_shape);
                let group = match groups.iter().position(|(m, _)| *m == visual.material) {
                    Some(group) => group,
                    None => {
                        groups.push((visual.material, MeshBuilder::default()));
                        groups.len() - 1
                    }
                };
                groups[group].1.add(&solid, &visual.link_from_shape);
            }
            LinkMeshes {
                by_material: groups
                    .into_iter()
                    .map(|(material, builder)| (material, meshes.add(builder.build())))
                    .collect(),
                whole: (!whole.indices.is_empty()).then(|| meshes.add(whole.build())),
            }
        });
        let links = Arc::new(links.collect::<Vec<_>>());
        self.0.push((Arc::clone(model), Arc::clone(&links)));
        links
    }
}

fn same(a: &Arc<ArmModel>, b: &Arc<ArmModel>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}
