//! Runs in a folder: a store of draws that ArviZ opens, and beside it, in `.run`, what is needed to
//! go on. Draws are written into their places block by block; only then the metadata say that they
//! are there, and only then the state of the chain behind them is kept. So whatever ends the
//! process, the store can be read, and the run be taken up where a state was kept; steps between
//! are made again, to the same bits.

use super::checkpoint::{self, Checkpoint};
use super::columns::{Column, Part, array, stacked};
use super::course::{Block, Course, Sink, State};
use super::fingerprint::Fingerprint;
use super::groups::{Group, prepare};
use super::zarr::{self, Variable, failed, replace};
use probpipe_trace::{Array, Error, ErrorKind, Result};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How old what readers see may be.
const SHOWN: Duration = Duration::from_millis(100);
/// How much is made again at most.
const KEPT: Duration = Duration::from_secs(1);

/// The draws of a run in a folder.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    created: String,
    columns: Vec<Column>,
    /// Of each column, then the axes.
    variables: Vec<Variable>,
    chains: Vec<Written>,
    /// Draws of all chains that readers see, since when.
    shown: (usize, Instant),
}

/// What is known of a chain.
#[derive(Debug)]
struct Written {
    drawn: usize,
    /// The last state and its steps, if it is not safe yet.
    state: Option<(usize, State)>,
    /// Files that were written since a state was safe.
    files: BTreeSet<PathBuf>,
    safe: Instant,
}

fn file(root: &Path, name: &str) -> PathBuf {
    root.join(".run").join(name)
}

/// Whether there is a run in a folder.
pub(super) fn is_run(root: &Path) -> bool {
    file(root, "fingerprint").exists()
}

impl Folder {
    /// Of a run that begins: the folder must be empty, or not be there.
    pub fn create(
        root: &Path,
        chains: usize,
        course: &Course,
        fingerprint: &Fingerprint,
    ) -> Result<Folder> {
        if is_run(root) {
            let message = format!("there is a run in `{}`", root.display());
            return Err(Error::new(ErrorKind::Io, message)
                .help("go on with it by `resume`, or give another folder"));
        }
        refuse_full(root)?;
        let run = root.join(".run");
        fs::create_dir_all(&run).map_err(|error| failed("make", &run, &error))?;
        let folder = Folder::new(root, course, &vec![0; chains], 0)?;
        replace(&file(root, "fingerprint"), fingerprint.text().as_bytes(), true)?;
        Ok(folder)
    }

    /// Of a run that goes on, if it is this one, and the states from which it does.
    pub fn open(
        root: &Path,
        chains: usize,
        course: &Course,
        fingerprint: &Fingerprint,
        like: &[Array],
    ) -> Result<(Folder, Vec<Option<Checkpoint>>)> {
        let path = file(root, "fingerprint");
        let written = match fs::read_to_string(&path) {
            Ok(written) => written,
            Err(error) => {
                return Err(failed("read", &path, &error)
                    .help("begin a run there with `to_dir(..)` and `sample`"));
            }
        };
        let other = fingerprint.differences(&written);
        if !other.is_empty() {
            let message = format!("the run in `{}` is another one", root.display());
            let error = Error::new(ErrorKind::Value, message);
            let error = other.into_iter().fold(error, |error, line| error.note(line, None));
            return Err(error.help("resume with the run, key and target that it began with"));
        }
        let mut states = Vec::new();
        for chain in 0..chains {
            states.push(checkpoint::read(&file(root, &format!("chain-{chain}")), like)?);
        }
        let drawn = |state: &Option<Checkpoint>| {
            state.as_ref().map_or(0, |state| course.drawn(state.steps))
        };
        let drawn: Vec<usize> = states.iter().map(drawn).collect();
        // What readers see never becomes less.
        let axis = root.join("unconstrained_posterior/draw/.zarray");
        let shown = fs::read_to_string(axis).ok().and_then(|text| {
            let rest = text.split_once("\"shape\": [")?.1;
            rest.split_once(']')?.0.parse().ok()
        });
        Ok((Folder::new(root, course, &drawn, shown.unwrap_or(0))?, states))
    }

    fn new(root: &Path, course: &Course, drawn: &[usize], shown: usize) -> Result<Folder> {
        let columns = course.columns.clone();
        let draws = course.drawn(course.plan.len());
        let mut variables = Vec::new();
        let mut axes = Vec::new();
        let groups = [
            ("unconstrained_posterior", Part::Unconstrained),
            ("posterior", Part::Values),
            ("sample_stats", Part::Stats),
        ];
        for (name, part) in groups {
            let of = columns.iter().filter(|column| column.part == part);
            let array =
                |column: &Column| (column.path.clone(), stacked(column, drawn.len(), draws));
            let arrays: Vec<_> = of.map(array).collect();
            let n = arrays.len();
            let mut all = Group { name, drawn: true, arrays }.variables();
            axes.extend(all.split_off(n));
            variables.extend(all);
        }
        variables.extend(axes);
        let now = Instant::now();
        let written =
            |&drawn: &usize| Written { drawn, state: None, files: BTreeSet::new(), safe: now };
        let chains = drawn.iter().map(written).collect();
        let root = root.to_path_buf();
        let folder =
            Folder { root, created: zarr::now(), columns, variables, chains, shown: (shown, now) };
        prepare(&folder.root, &folder.variables)?;
        folder.show()?;
        Ok(folder)
    }

    /// Has readers see so many draws.
    fn show(&self) -> Result<()> {
        let mut variables = self.variables.clone();
        for variable in &mut variables {
            if variable.name == "draw" || variable.dims.get(1).is_some_and(|dim| dim == "draw") {
                variable.cut(self.shown.0);
            }
        }
        // Groups as wholes.
        variables.sort_by(|a, b| a.group.cmp(&b.group));
        zarr::write_metadata(&self.root, &variables, &self.created)
    }

    /// Has them see what all chains have by now.
    fn show_all(&mut self) -> Result<()> {
        let common = self.chains.iter().map(|chain| chain.drawn).min().unwrap_or(0);
        self.shown = (common.max(self.shown.0), Instant::now());
        self.show()
    }

    /// Makes the state of a chain safe, behind the draws before it.
    fn keep(&mut self, chain: usize) -> Result<()> {
        let kept = &mut self.chains[chain];
        let Some((steps, state)) = kept.state.take() else { return Ok(()) };
        for path in std::mem::take(&mut kept.files) {
            File::open(&path)
                .and_then(|file| file.sync_data())
                .map_err(|error| failed("write", &path, &error))?;
        }
        kept.safe = Instant::now();
        checkpoint::write(&file(&self.root, &format!("chain-{chain}")), steps, &state.own())
    }
}

impl Sink for Folder {
    fn take(&mut self, block: &Block) -> Result<()> {
        let again = |error: Error| {
            let draws = "the draws that the folder says it has can be read";
            error.note(draws, None).help("mend it, then go on with the run by `resume`")
        };
        let kept = &mut self.chains[block.chain];
        let drawn = kept.drawn;
        let columns = self.columns.iter().zip(&self.variables).zip(&block.rows);
        let mut more = None;
        for ((column, variable), rows) in columns {
            let files = variable.write(&self.root, &[block.chain], drawn, rows).map_err(again)?;
            kept.files.extend(files);
            if column.bytes() > 0 {
                more = Some(rows.len() / column.bytes());
            }
        }
        kept.drawn += more.unwrap_or(0);
        kept.state = Some((block.steps, block.state.clone()));
        if kept.safe.elapsed() > KEPT {
            self.keep(block.chain).map_err(again)?;
        }
        let common = self.chains.iter().map(|chain| chain.drawn).min().unwrap_or(0);
        if common > self.shown.0 && self.shown.1.elapsed() > SHOWN {
            self.show_all().map_err(again)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.show_all()?;
        (0..self.chains.len()).try_for_each(|chain| self.keep(chain))
    }

    fn read(&self, draws: usize) -> Result<Vec<Array>> {
        let chains = self.chains.len();
        let whole = |(column, variable): (&Column, &Variable)| {
            let size = draws * column.bytes();
            let mut bytes = vec![0; chains * size];
            for chain in 0..chains {
                let part = &mut bytes[chain * size..(chain + 1) * size];
                variable.read(&self.root, &[chain], part)?;
            }
            array(stacked(column, chains, draws), &bytes)
        };
        self.columns.iter().zip(&self.variables).map(whole).collect()
    }
}

/// Refuses a folder in which there is something.
pub(super) fn refuse_full(root: &Path) -> Result<()> {
    let Ok(mut entries) = fs::read_dir(root) else { return Ok(()) };
    match entries.next() {
        None => Ok(()),
        Some(_) => {
            let message = format!("the folder `{}` is not empty", root.display());
            Err(Error::new(ErrorKind::Io, message).help("give one that is not there yet"))
        }
    }
}
