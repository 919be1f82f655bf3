//! The state of a chain in a file: lines that say what follows, the bytes of the leaves, a sum.

use super::columns::{array, bytes};
use super::fingerprint::hash;
use super::zarr::{failed, replace};
use probpipe_trace::{Array, Error, ErrorKind, Result};
use std::fs;
use std::io;
use std::path::Path;

/// From where a chain goes on.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// Steps so far.
    pub steps: usize,
    pub state: Vec<Array>,
}

/// The lines in front; the last one is empty.
fn head(steps: &str, types: &[String]) -> String {
    format!("probpipe chain, version 1\nsteps {steps}\n{}\n\n", types.join("\n"))
}

fn types(state: &[Array]) -> Result<Vec<String>> {
    state.iter().map(|leaf| Ok(leaf.ty()?.to_string())).collect()
}

/// Replaces the file of a chain.
pub(super) fn write(path: &Path, steps: usize, state: &[Array]) -> Result<()> {
    let mut all = head(&steps.to_string(), &types(state)?).into_bytes();
    for leaf in state {
        all.extend(bytes(leaf)?);
    }
    all.extend(hash(&all).to_le_bytes());
    replace(path, &all, true)
}

/// What the file of a chain says, whose state has the types of `like`; nothing without a file.
pub(super) fn read(path: &Path, like: &[Array]) -> Result<Option<Checkpoint>> {
    let all = match fs::read(path) {
        Ok(all) => all,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path, &error)),
    };
    let broken = || {
        let message = format!("`{}` is no state of a chain of this run", path.display());
        Error::new(ErrorKind::Io, message).help("delete it: the chain is then made from its start")
    };
    let (body, sum) = all.split_last_chunk::<8>().ok_or_else(broken)?;
    let end = body.windows(2).position(|pair| pair == b"\n\n").ok_or_else(broken)? + 2;
    let text = std::str::from_utf8(&body[..end]).map_err(|_| broken())?;
    let steps = text.lines().nth(1).and_then(|line| line.strip_prefix("steps "));
    let steps = steps.ok_or_else(broken)?;
    if u64::from_le_bytes(*sum) != hash(body) || text != head(steps, &types(like)?) {
        return Err(broken());
    }
    let mut rest = &body[end..];
    let mut state = Vec::new();
    for leaf in like {
        let ty = leaf.ty()?;
        let (now, later) = rest.split_at_checked(ty.bytes()).ok_or_else(broken)?;
        state.push(array(ty.clone(), now)?);
        rest = later;
    }
    match (rest.is_empty(), steps.parse()) {
        (true, Ok(steps)) => Ok(Some(Checkpoint { steps, state })),
        _ => Err(broken()),
    }
}
