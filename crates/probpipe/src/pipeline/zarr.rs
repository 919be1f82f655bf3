//! Stores of the Zarr format, version 2, as far as draws need it: groups of arrays with named
//! axes, as xarray reads them, uncompressed. A chunk is a file, so rows are written where they
//! belong; what a store holds is what its metadata says, which are replaced as a whole.
//!
//! The format: zarr-specs.readthedocs.io, "Zarr storage specification version 2"; names of axes
//! as xarray keeps them, in `_ARRAY_DIMENSIONS`.

use probpipe_trace::{Array, ArrayType, DType, Error, ErrorKind, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of a chunk, about: readers take chunks as a whole.
const CHUNK: usize = 16 << 20;

/// An array of a store.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub group: String,
    pub name: String,
    pub dtype: DType,
    pub shape: Vec<usize>,
    pub chunks: Vec<usize>,
    /// The names of the axes.
    pub dims: Vec<String>,
    /// The axis along which rows lie; there is one chunk or more for each place of those before.
    rows: usize,
}

impl Variable {
    /// An array whose rows lie along the axis `rows`, of which a chunk holds many.
    pub fn new(
        group: &str,
        name: &str,
        ty: &ArrayType,
        rows: usize,
        dims: Vec<String>,
    ) -> Variable {
        let shape = ty.shape.to_vec();
        let row = ty.dtype.size() * shape.iter().skip(rows + 1).product::<usize>();
        let chunk = |(axis, &extent): (usize, &usize)| match axis {
            axis if axis < rows => 1,
            axis if axis == rows => extent.clamp(1, (CHUNK / row.max(1)).max(1)),
            _ => extent.max(1),
        };
        let chunks = shape.iter().enumerate().map(chunk).collect();
        let (group, name) = (group.to_string(), name.to_string());
        Variable { group, name, dtype: ty.dtype, shape, chunks, dims, rows }
    }

    /// With so many rows of those that it was made for.
    pub fn cut(&mut self, rows: usize) {
        if let Some(extent) = self.shape.get_mut(self.rows) {
            *extent = rows;
        }
    }

    /// The numbers of an axis.
    pub fn axis(group: &str, name: &str, extent: usize) -> Variable {
        let ty = ArrayType::new(DType::I64, [extent]);
        Variable::new(group, name, &ty, 0, vec![name.to_string()])
    }

    fn path(&self) -> String {
        format!("{}/{}", self.group, self.name)
    }

    fn zarray(&self) -> String {
        let kind = match self.dtype {
            DType::F32 => "f4",
            DType::F64 => "f8",
            DType::I32 => "i4",
            DType::I64 => "i8",
            DType::U8 => "u1",
            DType::U32 => "u4",
            DType::U64 => "u8",
            DType::Bool => "b1",
        };
        let order = match self.dtype.size() {
            1 => '|',
            _ if cfg!(target_endian = "big") => '>',
            _ => '<',
        };
        // What stands for nothing xarray takes for missing, and integers for floats.
        let fill = if self.dtype.is_float() { "\"NaN\"" } else { "null" };
        format!(
            "{{\"zarr_format\": 2, \"shape\": {:?}, \"chunks\": {:?}, \"dtype\": \"{order}{kind}\", \
             \"order\": \"C\", \"compressor\": null, \"filters\": null, \"fill_value\": {fill}}}",
            self.shape, self.chunks
        )
    }

    fn zattrs(&self) -> String {
        let dims: Vec<String> = self.dims.iter().map(|dim| quoted(dim)).collect();
        format!("{{\"_ARRAY_DIMENSIONS\": [{}]}}", dims.join(", "))
    }

    /// Rows of a chunk.
    fn per_chunk(&self) -> usize {
        self.chunks.get(self.rows).copied().unwrap_or(1)
    }

    /// The file of the chunk in which a row lies, and which row of it that is; `before` are the
    /// places along the axes before.
    fn place(&self, root: &Path, before: &[usize], row: usize) -> (PathBuf, usize) {
        let per_chunk = self.per_chunk();
        let mut key: Vec<usize> = before.to_vec();
        key.push(row / per_chunk);
        key.resize(self.shape.len().max(1), 0);
        let key: Vec<String> = key.iter().map(usize::to_string).collect();
        (root.join(self.path()).join(key.join(".")), row % per_chunk)
    }

    fn row_bytes(&self) -> usize {
        self.dtype.size() * self.shape.iter().skip(self.rows + 1).product::<usize>()
    }

    /// Writes rows from `first` on; gives the files.
    pub fn write(
        &self,
        root: &Path,
        before: &[usize],
        first: usize,
        bytes: &[u8],
    ) -> Result<Vec<PathBuf>> {
        let (row, per_chunk) = (self.row_bytes(), self.per_chunk());
        let mut files = Vec::new();
        let (mut at, mut rest) = (first, bytes);
        while row > 0 && !rest.is_empty() {
            let (path, within) = self.place(root, before, at);
            let rows = (rest.len() / row).min(per_chunk - within);
            let (now, later) = rest.split_at(rows * row);
            put(&path, within * row, now, per_chunk * row)
                .map_err(|error| failed("write", &path, &error))?;
            files.push(path);
            (at, rest) = (at + rows, later);
        }
        Ok(files)
    }

    /// Reads as many rows from the first on as fill the buffer.
    pub fn read(&self, root: &Path, before: &[usize], buffer: &mut [u8]) -> Result<()> {
        let (row, per_chunk) = (self.row_bytes(), self.per_chunk());
        if row == 0 {
            return Ok(());
        }
        for (k, part) in buffer.chunks_mut(per_chunk * row).enumerate() {
            let (path, _) = self.place(root, before, k * per_chunk);
            File::open(&path)
                .and_then(|mut file| file.read_exact(part))
                .map_err(|error| failed("read", &path, &error))?;
        }
        Ok(())
    }
}

/// Writes into a file that is to be so long, which it becomes by a hole.
fn put(path: &Path, at: usize, bytes: &[u8], whole: usize) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(path)?;
    file.seek(SeekFrom::Start(at as u64))?;
    file.write_all(bytes)?;
    if file.metadata()?.len() < whole as u64 {
        file.set_len(whole as u64)?;
    }
    Ok(())
}

/// All values of an array.
pub(super) fn write_array(root: &Path, variable: &Variable, array: &Array) -> Result<()> {
    let value = array.value()?;
    let bytes = value.to_host()?.bytes();
    match variable.rows {
        _ if bytes.is_empty() => {}
        0 => drop(variable.write(root, &[], 0, bytes)?),
        _ => {
            for (i, part) in bytes.chunks(bytes.len() / variable.shape[0]).enumerate() {
                variable.write(root, &[i], 0, part)?;
            }
        }
    }
    Ok(())
}

/// The numbers of an axis.
pub(super) fn write_axis(root: &Path, variable: &Variable) -> Result<()> {
    let numbers: Vec<u8> = (0..variable.shape[0] as i64).flat_map(i64::to_ne_bytes).collect();
    variable.write(root, &[], 0, &numbers).map(drop)
}

/// Makes the folders of a store.
pub(super) fn make_folders(root: &Path, variables: &[Variable]) -> Result<()> {
    for variable in variables {
        let path = root.join(variable.path());
        fs::create_dir_all(&path).map_err(|error| failed("make", &path, &error))?;
    }
    Ok(())
}

/// Writes what a store holds: of every group and array, then of all together, which is the file
/// that readers look at first.
pub(super) fn write_metadata(root: &Path, variables: &[Variable], created: &str) -> Result<()> {
    const GROUP: &str = "{\"zarr_format\": 2}";
    let attrs = format!(
        "{{\"created_at\": {}, \"inference_library\": \"probpipe\", \
         \"inference_library_version\": {}}}",
        quoted(created),
        quoted(env!("CARGO_PKG_VERSION")),
    );
    let entry = |path: &str, text: &str| (path.to_string(), text.to_string());
    let mut all = vec![entry(".zgroup", GROUP), entry(".zattrs", &attrs)];
    for of in variables.chunk_by(|a, b| a.group == b.group) {
        let mut group = vec![entry(".zgroup", GROUP), entry(".zattrs", &attrs)];
        for variable in of {
            group.push((format!("{}/.zarray", variable.name), variable.zarray()));
            group.push((format!("{}/.zattrs", variable.name), variable.zattrs()));
        }
        let Some(Variable { group: name, .. }) = of.first() else { continue };
        for (path, text) in &group {
            replace(&root.join(name).join(path), text.as_bytes(), false)?;
        }
        // Readers of one group look here.
        replace(&root.join(name).join(".zmetadata"), joined(&group).as_bytes(), false)?;
        all.extend(group.into_iter().map(|(path, text)| (format!("{name}/{path}"), text)));
    }
    for (path, text) in &all[..2] {
        replace(&root.join(path), text.as_bytes(), false)?;
    }
    replace(&root.join(".zmetadata"), joined(&all).as_bytes(), false)
}

/// Metadata of several paths in one.
fn joined(entries: &[(String, String)]) -> String {
    let all: Vec<String> =
        entries.iter().map(|(path, text)| format!("{}: {text}", quoted(path))).collect();
    let all = all.join(",\n");
    format!("{{\"zarr_consolidated_format\": 1, \"metadata\": {{\n{all}\n}}}}\n")
}

/// Replaces a file as a whole: who reads it sees what was there or what is there now. If it is to
/// be `safe`, it survives a loss of power too.
pub(super) fn replace(path: &Path, bytes: &[u8], safe: bool) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let new = path.with_file_name(name);
    let written = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        if safe {
            file.sync_all()?;
        }
        fs::rename(&new, path)?;
        if safe && let Some(folder) = path.parent() {
            // Not every system lets a folder be opened; the file is whole either way.
            File::open(folder).and_then(|folder| folder.sync_all()).ok();
        }
        Ok(())
    };
    written().map_err(|error| failed("write", path, &error))
}

/// What is said of a file that cannot be used.
pub(super) fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot {what} `{}`: {error}", path.display()))
}

/// A string of JSON.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => quoted += &format!("\\u{:04x}", c as u32),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Names that can be files and that no other of the group has; `/` becomes `.`.
pub(super) fn names<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut taken: Vec<String> = vec!["chain".to_string(), "draw".to_string()];
    for path in paths {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let plain = path.replace('/', ".");
        let mut name: String = plain.chars().map(|c| if fits(c) { c } else { '_' }).collect();
        if name.starts_with('.') || name.is_empty() {
            name.insert(0, '_');
        }
        while taken.contains(&name) {
            name.push('_');
        }
        taken.push(name);
    }
    taken.split_off(2)
}

/// The time now, as ISO 8601 has it.
pub(super) fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // The civil calendar in eras of 400 years, which begin in March.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!(
        "{:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z",
        era * 400 + year + later,
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}
