//! How draws are laid out in a store: groups by what they are, as ArviZ has it, with axes `chain`,
//! `draw` and `NAME_dim_0`, and the numbers of every axis.

use super::zarr::{self, Variable};
use probpipe_trace::{ArrayType, Result};
use std::path::Path;

/// A group of a store.
pub(super) struct Group {
    pub name: &'static str,
    /// Whether the first axes of its arrays are chains and draws.
    pub drawn: bool,
    /// Paths and types of its arrays.
    pub arrays: Vec<(String, ArrayType)>,
}

/// The names by which ArviZ knows what we call otherwise.
pub(super) fn arviz_name(path: &str) -> &str {
    match path {
        "log_density" => "lp",
        "acceptance" => "acceptance_rate",
        "depth" => "tree_depth",
        "steps" => "n_steps",
        other => other,
    }
}

impl Group {
    /// The arrays, in order, then the axes.
    pub fn variables(&self) -> Vec<Variable> {
        let paths = self.arrays.iter().map(|(path, _)| match self.name {
            "sample_stats" => arviz_name(path),
            _ => path.as_str(),
        });
        let names = zarr::names(paths);
        let leading: &[&str] = if self.drawn { &["chain", "draw"] } else { &[] };
        let mut arrays = Vec::new();
        let mut axes: Vec<Variable> = Vec::new();
        for (name, (_, ty)) in names.iter().zip(&self.arrays) {
            let own =
                (0..ty.rank().saturating_sub(leading.len())).map(|i| format!("{name}_dim_{i}"));
            let dims: Vec<String> =
                leading.iter().map(|dim| (*dim).to_string()).chain(own).collect();
            for (dim, &extent) in dims.iter().zip(&ty.shape) {
                if !axes.iter().any(|axis| axis.name == *dim) {
                    axes.push(Variable::axis(self.name, dim, extent));
                }
            }
            arrays.push(Variable::new(self.name, name, ty, usize::from(self.drawn), dims));
        }
        arrays.extend(axes);
        arrays
    }
}

/// Makes the folders, and writes the numbers of the axes.
pub(super) fn prepare(root: &Path, variables: &[Variable]) -> Result<()> {
    zarr::make_folders(root, variables)?;
    let axes = variables.iter().filter(|it| it.dims[..] == [it.name.clone()]);
    for axis in axes {
        zarr::write_axis(root, axis)?;
    }
    Ok(())
}
