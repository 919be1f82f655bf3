//! Pipelines on disk: written where asked, read again by the next device, and as good as not there
//! where they are not whole or not of this adapter.

mod common;

use common::{adapter_or_skip, graph_of};
use probpipe_backend_gpu::{Gpu, PipelineFile, Pipelines};
use probpipe_trace::{ArrayType, Backend, DType, Value, verify};
use std::path::PathBuf;

/// A folder that is gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("probpipe-pipelines-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&folder);
        Folder(folder)
    }

    fn gpu(&self) -> Gpu {
        Gpu::open_keeping(Pipelines::At(self.0.clone())).expect("the device opens")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Compiles a program and sees to it that it computes.
fn use_it(gpu: &Gpu) {
    let graph = graph_of(&[ArrayType::new(DType::F32, [100])], |x| vec![x[0].exp().sum()]);
    let program = gpu.compile(verify(&graph).expect("the graph is right")).expect("it compiles");
    let zeros = Value::zeroed(ArrayType::new(DType::F32, [100])).expect("there is memory");
    let sum = program.run(&[&zeros]).expect("it runs");
    assert_eq!(sum[0].to_vec::<f32>().expect("it can be read"), [100.0]);
}

/// The file of a device that has one: drivers without a cache of pipelines have none.
fn file(gpu: &Gpu) -> Option<PipelineFile> {
    let file = gpu.pipeline_file();
    if file.is_none() {
        println!("SKIP: this driver has no cache of pipelines");
    }
    file
}

#[test]
fn the_next_device_reads_what_was_written() {
    if adapter_or_skip().is_none() {
        return;
    }
    let folder = Folder::new("again");
    let gpu = folder.gpu();
    let Some(PipelineFile { path, read }) = file(&gpu) else { return };
    assert!(path.starts_with(&folder.0) && read == 0 && !path.exists());
    use_it(&gpu);
    assert!(path.exists(), "a program was compiled");
    let again = folder.gpu();
    let known = file(&again).expect("as before");
    assert!(known.path == path && known.read > 0, "{known:?}");
    use_it(&again);
}

#[test]
fn what_is_not_whole_is_not_read() {
    if adapter_or_skip().is_none() {
        return;
    }
    let folder = Folder::new("whole");
    let gpu = folder.gpu();
    let Some(PipelineFile { path, .. }) = file(&gpu) else { return };
    use_it(&gpu);
    let whole = std::fs::read(&path).expect("it is written");
    drop(gpu);
    let (key, end) = (40, whole.len());
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let broken: [(&str, Vec<u8>); 8] = [
        ("empty", Vec::new()),
        ("another layout", changed(15)),
        ("another length", changed(24)),
        ("another hash", changed(32)),
        ("another adapter", changed(key)),
        ("one bit of data", changed(end - 1)),
        ("cut off", whole[..end - 1].to_vec()),
        ("longer", [&whole[..], &[0]].concat()),
    ];
    for (what, bytes) in broken {
        std::fs::write(&path, bytes).expect("the folder can be written");
        let gpu = folder.gpu();
        assert_eq!(file(&gpu).expect("as before").read, 0, "{what}");
        use_it(&gpu);
        drop(gpu);
        // It was written anew.
        assert!(file(&folder.gpu()).expect("as before").read > 0, "{what}");
    }
}

#[test]
fn nowhere_and_impossible_folders_are_fine() {
    if adapter_or_skip().is_none() {
        return;
    }
    let gpu = Gpu::open_keeping(Pipelines::Nowhere).expect("the device opens");
    assert_eq!(gpu.pipeline_file(), None);
    use_it(&gpu);
    let folder = Folder::new("impossible");
    std::fs::create_dir_all(&folder.0).expect("the temporary folder can be written");
    let taken = folder.0.join("a file");
    std::fs::write(&taken, "not a folder").expect("the folder can be written");
    let gpu = Gpu::open_keeping(Pipelines::At(taken.clone())).expect("the device opens");
    use_it(&gpu);
    assert_eq!(std::fs::read(taken).expect("it is still there"), b"not a folder");
}
