//! Pipelines that the driver compiled, kept in a file between processes: which file, what stands
//! around the driver's bytes, when they are written. A file that is not whole, or of another
//! adapter or driver, is as good as none; so is a folder that cannot be written.

use crate::lock::lock;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Names the folder, or is empty where there is to be none.
const VARIABLE: &str = "PROBPIPE_PIPELINES";
/// What a file begins with; the number is that of the layout.
const MAGIC: &[u8; 16] = b"probpipe.pipes.1";
/// A larger file is begun anew: drivers take nothing out of their caches.
const MOST_BYTES: usize = 256 << 20;
/// A file is written again after so many times the time that it took to write.
const PAUSE: u32 = 20;

/// Where compiled pipelines are kept between processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pipelines {
    /// In the folder that `PROBPIPE_PIPELINES` names, nowhere if that is empty; without it in
    /// `probpipe/pipelines` of the user's cache folder (`XDG_CACHE_HOME`, `~/.cache`,
    /// `~/Library/Caches`, `LOCALAPPDATA`).
    #[default]
    Usual,
    /// In this folder.
    At(PathBuf),
    /// Nowhere.
    Nowhere,
}

impl Pipelines {
    fn folder(&self) -> Option<PathBuf> {
        match self {
            Pipelines::At(folder) => Some(folder.clone()),
            Pipelines::Nowhere => None,
            Pipelines::Usual => match std::env::var_os(VARIABLE) {
                Some(folder) => (!folder.is_empty()).then(|| folder.into()),
                None => users_folder().map(|folder| folder.join("probpipe").join("pipelines")),
            },
        }
    }
}

fn users_folder() -> Option<PathBuf> {
    let folder = |variable| std::env::var_os(variable).map(PathBuf::from);
    let folder = match () {
        () if cfg!(windows) => folder("LOCALAPPDATA"),
        () if cfg!(target_os = "macos") => folder("HOME").map(|home| home.join("Library/Caches")),
        () => folder("XDG_CACHE_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| folder("HOME").map(|home| home.join(".cache"))),
    };
    folder.filter(|folder| folder.is_absolute())
}

/// What is known of the file of pipelines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineFile {
    /// Where it is, or will be.
    pub path: PathBuf,
    /// Bytes of pipelines that were read from it when the device was opened.
    pub read: usize,
}

/// The driver's cache, and the file that it goes to.
pub(crate) struct Cache {
    pub cache: wgpu::PipelineCache,
    pub file: PipelineFile,
    key: String,
    /// Whether pipelines were made since it was written.
    grown: AtomicBool,
    written: Mutex<Option<(Instant, Duration)>>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({})", self.file.path.display())
    }
}

impl Cache {
    /// That of an adapter, of a device that has the feature.
    pub fn open(
        device: &wgpu::Device,
        about: &wgpu::AdapterInfo,
        place: &Pipelines,
    ) -> Option<Cache> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let key = format!(
            "{} {:x} {:x} {} {} {}",
            about.backend, about.vendor, about.device, about.name, about.driver, about.driver_info
        );
        let path = place.folder()?.join(format!("{:016x}.bin", hash(key.as_bytes())));
        let data = read(&path, &key);
        let descriptor =
            wgpu::PipelineCacheDescriptor { label: None, data: data.as_deref(), fallback: true };
        #[allow(unsafe_code)]
        // SAFETY: the bytes were given by `get_data` for this adapter and driver: the file says
        // both, and that they are whole.
        let cache = unsafe { device.create_pipeline_cache(&descriptor) };
        let file = PipelineFile { path, read: data.map_or(0, |data| data.len()) };
        let (grown, written) = (AtomicBool::new(false), Mutex::default());
        Some(Cache { cache, file, key, grown, written })
    }

    /// Notes that a pipeline was made.
    pub fn note(&self) {
        self.grown.store(true, Ordering::Relaxed);
    }

    /// Writes what is new, unless it was written just now.
    pub fn write(&self) {
        let mut written = lock(&self.written);
        if written.is_some_and(|(when, took)| when.elapsed() < took * PAUSE) {
            return;
        }
        if !self.grown.swap(false, Ordering::Relaxed) {
            return;
        }
        let begun = Instant::now();
        if let Some(data) = self.cache.get_data().filter(|data| data.len() <= MOST_BYTES) {
            // What cannot be kept is compiled again.
            let _ = write(&self.file.path, &self.key, &data);
        }
        *written = Some((Instant::now(), begun.elapsed()));
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        *lock(&self.written) = None;
        self.write();
    }
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What stands before the data: the layout, the adapter, and the data's length and hash.
fn head(key: &str, data: &[u8]) -> Vec<u8> {
    let mut head = MAGIC.to_vec();
    for number in [key.len() as u64, data.len() as u64, hash(data)] {
        head.extend(number.to_le_bytes());
    }
    head.extend(key.as_bytes());
    head
}

/// The data of a whole file of this adapter.
fn read(path: &Path, key: &str) -> Option<Vec<u8>> {
    let length = std::fs::metadata(path).ok()?.len();
    if length > MOST_BYTES as u64 {
        return None;
    }
    let mut file = std::fs::read(path).ok()?;
    let data = file.split_off(head(key, &[]).len().min(file.len()));
    (!data.is_empty() && file == head(key, &data)).then_some(data)
}

/// Another process sees the old file or the new one.
fn write(path: &Path, key: &str, data: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = head(key, data);
    file.extend(data);
    let written = std::fs::write(&new, file).and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written
}
