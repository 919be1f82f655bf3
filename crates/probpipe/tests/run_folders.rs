//! Runs in folders: what is on disk is what the run has made, whatever ends it, and a run that goes
//! on gives the bits of one that never ended. The store is read by ArviZ where there is a Python
//! that has it: `PROBPIPE_PYTHON` names one.
#![cfg(unix)]

use probpipe::inference::Target;
use probpipe::inference::mcmc::Nuts;
use probpipe::pipeline::{Ended, Run};
use probpipe::prelude::*;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// What tells a test that it is the process to be ended.
const CHILD: &str = "PROBPIPE_TEST_FOLDER";

/// A folder that is not there yet.
fn place(name: &str) -> PathBuf {
    let path = env::temp_dir().join(format!("probpipe-{}-{name}", std::process::id()));
    fs::remove_dir_all(&path).ok();
    path
}

fn model() -> impl GenerativeFunction<Args = (), Value = Array> + Clone {
    generative(|t: &mut Choices| {
        let mean = t.sample("mean", Normal::new(0.0, 10.0));
        let scale = t.sample("scale", probpipe::HalfCauchy::new(1.0));
        let x = t.call("part/x", Normal::new(&mean, &scale).repeat(3), ());
        t.sample("y", Normal::new(x, 0.5))
    })
}

fn observed(first: f64) -> ChoiceMap {
    let y = probpipe::array([first, 2.0, 3.0]).cast(probpipe::default_float());
    ChoiceMap::new([("y", y)])
}

fn target() -> Target<ChoiceMap> {
    Target::of(model(), (), &observed(1.0)).unwrap()
}

fn run() -> Run<Nuts, probpipe::inference::adapt::Gradients> {
    Nuts::default().chains(2).warmup(200).draws(2_000).threads(2)
}

fn bits(draws: &Draws<ChoiceMap>) -> Vec<Vec<u8>> {
    let mut all = draws.values.leaves();
    all.push(draws.unconstrained.clone());
    all.extend(draws.stats.leaves());
    all.iter().map(|x| x.value().unwrap().to_host().unwrap().bytes().to_vec()).collect()
}

/// The draws of all chains that readers see.
fn shown(path: &Path) -> usize {
    let Ok(text) = fs::read_to_string(path.join(".zmetadata")) else { return 0 };
    let rest = text.split_once("sample_stats/draw/.zarray").unwrap().1;
    let rest = rest.split_once("\"shape\": [").unwrap().1;
    rest.split_once(']').unwrap().0.parse().unwrap()
}

/// Has Python look into a store: `data` is its tree of groups.
fn python(path: &Path, checks: &str) {
    let python = env::var("PROBPIPE_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let known = Command::new(&python).args(["-c", "import arviz, xarray, zarr"]).output();
    if !known.is_ok_and(|it| it.status.success()) {
        println!("skipped: {python} has no arviz, xarray and zarr");
        return;
    }
    let open = "
import sys, warnings
warnings.simplefilter('ignore')
import arviz, numpy as np, xarray, zarr
path = sys.argv[1]
if int(zarr.__version__.split('.')[0]) < 3:
    data = arviz.from_zarr(path)
else:
    data = arviz.InferenceData.from_datatree(xarray.open_datatree(path, engine='zarr'))
alone = xarray.open_zarr(path, group='posterior')
assert alone['mean'].dims == ('chain', 'draw')
";
    let code = format!("{open}{checks}");
    let told = Command::new(&python).args(["-c", &code]).arg(path).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

#[test]
fn draws_in_a_folder_are_those_in_memory() {
    let both = || {
        let whole = run().sample(Key::new(0), &target()).unwrap();
        for threads in [1, 3] {
            let path = place("same");
            let run = run().threads(threads).to_dir(&path);
            let draws = run.sample(Key::new(0), &target()).unwrap();
            assert_eq!(bits(&draws), bits(&whole));
            assert_eq!(shown(&path), 2_000);
            // A run that is complete is read.
            let again = run.resume(&path, Key::new(0), &target()).unwrap();
            assert_eq!(bits(&again), bits(&whole));
            let error = run.sample(Key::new(0), &target()).unwrap_err();
            assert!(error.message().contains("there is a run in"), "{error}");
            fs::remove_dir_all(&path).unwrap();
        }
    };
    both();
    probpipe::with_default_float(DType::F64, both);
}

#[test]
fn arviz_reads_what_is_written() {
    let path = place("arviz");
    let draws = run().to_dir(&path).sample(Key::new(0), &target()).unwrap();
    let f64s = |x: &Array| x.cast(DType::F64);
    let mean = f64s(&draws.values["mean"]).mean().item::<f64>().unwrap();
    let at = draws.values["part/x"].at(1).at(1234).at(2).item::<f32>().unwrap();
    let diverged = draws.stats["diverging"].cast(DType::I32).sum().item::<i32>().unwrap();
    let checks = format!(
        "
p, s = data.posterior, data.sample_stats
assert list(p.sizes.items()) == [('chain', 2), ('draw', 2000), ('part.x_dim_0', 3)], p.sizes
assert p['part.x'].dims == ('chain', 'draw', 'part.x_dim_0')
assert abs(float(p['mean'].astype('f8').mean()) - {mean:?}) < 1e-6
assert float(p['part.x'][1, 1234, 2]) == np.float32({at:?})
assert list(p['draw'].values[:3]) == [0, 1, 2] and p['draw'].size == 2000
for name in ['lp', 'energy', 'tree_depth', 'n_steps', 'step_size', 'acceptance_rate', 'diverging']:
    assert s[name].dims == ('chain', 'draw'), name
assert s['diverging'].dtype == bool and int(s['diverging'].sum()) == {diverged}
assert p.attrs['inference_library'] == 'probpipe' and p.attrs['created_at'].startswith('20')
assert arviz.summary(data, var_names=['mean']).shape[0] == 1
"
    );
    python(&path, &checks);
    fs::remove_dir_all(&path).unwrap();

    let path = place("export");
    let export = draws
        .export_with(Key::new(1), &model(), (), &observed(1.0))
        .unwrap()
        .prior(Record::new([("mean", zeros([1, 50]))]))
        // In the place of what was observed alone.
        .observed_data(observed(1.0).record().clone().with("count", array(3)));
    export.to_zarr(&path).unwrap();
    let more = "
assert data.log_likelihood['y'].shape == (2, 2000, 3)
assert data.posterior_predictive['y'].shape == (2, 2000, 3)
assert list(data.observed_data['y'].values) == [1.0, 2.0, 3.0]
assert int(data.observed_data['count']) == 3
assert data.prior['mean'].shape == (1, 50)
assert np.isfinite(arviz.loo(data, var_name='y').elpd_loo)
assert not hasattr(data, 'constant_data')
";
    python(&path, &format!("{checks}{more}"));
    let error = export.to_zarr(&path).unwrap_err();
    assert!(error.message().contains("is not empty"), "{error}");
    fs::remove_dir_all(&path).unwrap();
    let error = draws.export().prior(Record::new([("mean", zeros([7]))])).to_zarr(&path);
    assert!(error.unwrap_err().message().contains("`mean` of `prior`"));
    fs::remove_dir_all(&path).ok();
}

#[test]
fn what_a_model_says_of_its_draws_is_written() {
    let model = generative(|t: &mut Choices, x: Array, scale: Array| {
        let slope = t.sample("slope", Normal::new(0.0, 10.0));
        t.sample("y", Normal::new(slope * x, scale))
    });
    let (args, y) = ((arange(3).cast(DType::F32), 0.5), array([0.1, 1.8, 4.2]));
    let observed = ChoiceMap::new([("y", y)]);
    let target = Target::of(model, args.clone(), &observed).unwrap();
    let draws = Nuts::default().chains(2).draws(50).sample(Key::new(0), &target).unwrap();
    let groups = |data: &ChoiceMap| {
        let path = place("said");
        let export = draws.export_with(Key::new(1), &model, args.clone(), data).unwrap();
        export.to_zarr(&path).unwrap();
        let text = fs::read_to_string(path.join(".zmetadata")).unwrap();
        fs::remove_dir_all(&path).unwrap();
        let has = |group: &str, name: &str| text.contains(&format!("\"{group}/{name}/.zarray\""));
        let given = [has("posterior", "slope"), has("constant_data", "value.0")];
        let seen = ["log_likelihood", "posterior_predictive", "observed_data"];
        (given, seen.map(|group| has(group, "y")))
    };
    assert_eq!(groups(&observed), ([true; 2], [true; 3]));
    assert_eq!(groups(&ChoiceMap::default()), ([true; 2], [false; 3]));
    let other = ChoiceMap::new([("z", array([1.0]))]);
    let error = draws.export_with(Key::new(1), &model, args.clone(), &other).unwrap_err();
    assert!(error.to_string().contains("no value for the choice `y`"), "{error}");
}

#[test]
fn a_run_of_other_settings_does_not_go_on() {
    let path = place("other");
    run().to_dir(&path).sample(Key::new(0), &target()).unwrap();
    let said = |error: Error, what: &str| {
        let text = error.to_string();
        assert!(text.contains("is another one") && text.contains(what), "{text}");
    };
    let resume = |run: Run<Nuts, _>, key| run.resume(&path, Key::new(key), &target()).unwrap_err();
    said(resume(run(), 1), "key: [0, 1] Partitionable, not [0, 0] Partitionable");
    said(resume(run().draws(2_001), 0), "draws: 2001, not 2000");
    said(resume(run().warmup(201), 0), "steps of warm-up: 201, not 200");
    said(resume(run().thin(2), 0), "steps for each draw: 2, not 1");
    said(resume(run().starts(zeros([2, 5])), 0), "starts of chains");
    let deep = Nuts::default().max_depth(9).chains(2).warmup(200).draws(2_000);
    said(resume(deep, 0), "program (model, data, kernel)");
    let again = || run().resume(&path, Key::new(0), &target());
    let contracted = probpipe::with_rounding(probpipe::Rounding::Contracted, again);
    said(contracted.unwrap_err(), "rounding: Contracted, not AsWritten");
    let other = Target::of(model(), (), &observed(1.5)).unwrap();
    said(run().resume(&path, Key::new(0), &other).unwrap_err(), "density at the start");
    let wide = probpipe::with_default_float(DType::F64, || {
        run().resume(&path, Key::new(0), &target()).unwrap_err()
    });
    said(wide, "values: z f64[5]");
    fs::remove_dir_all(&path).unwrap();
    let error = run().resume(&path, Key::new(0), &target()).unwrap_err();
    assert!(error.to_string().contains("to_dir"), "{error}");
}

#[test]
fn a_run_that_was_stopped_goes_on() {
    let path = place("stopped");
    let whole = run().sample(Key::new(0), &target()).unwrap();
    for limit in [0, 100, 777] {
        let stopped = run().to_dir(&path).on_progress(move |progress| {
            match progress.chains.iter().all(|chain| chain.draws >= limit) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        let draws = match limit {
            0 => stopped.sample(Key::new(0), &target()),
            _ => stopped.resume(&path, Key::new(0), &target()),
        };
        match draws {
            Ok(draws) => {
                assert!(matches!(draws.ended, Ended::Interrupted));
                assert_eq!(shown(&path), draws.draws());
            }
            // Nothing but a part of the warm-up.
            Err(error) => assert!(limit == 0 && error.message().contains("was stopped"), "{error}"),
        }
    }
    let draws = run().resume(&path, Key::new(0), &target()).unwrap();
    assert_eq!(bits(&draws), bits(&whole));
    fs::remove_dir_all(&path).unwrap();
}

#[test]
fn a_callback_that_panics_leaves_a_folder_to_go_on_with() {
    let path = place("panic");
    let whole = run().sample(Key::new(0), &target()).unwrap();
    let bad = run().to_dir(&path).on_progress(|progress| {
        assert!(progress.chains.iter().any(|chain| chain.draws < 500), "enough");
        ControlFlow::Continue(())
    });
    let draws = bad.sample(Key::new(0), &target()).unwrap();
    assert!(matches!(draws.ended, Ended::Failed(_)) && draws.draws() >= 500);
    python(&path, &format!("assert data.posterior.sizes['draw'] == {}", draws.draws()));
    let draws = run().resume(&path, Key::new(0), &target()).unwrap();
    assert_eq!(bits(&draws), bits(&whole));
    fs::remove_dir_all(&path).unwrap();
}

#[test]
fn a_disk_that_is_full_ends_a_run_in_order() {
    if !Path::new("/dev/full").exists() {
        println!("skipped: there is no /dev/full");
        return;
    }
    let path = place("full");
    let whole = run().sample(Key::new(0), &target()).unwrap();
    // From some block on, what is written of one value of one chain goes to a device that is full.
    // On one thread chains take turns, so that none has ended by then.
    let (file, aside) = (path.join("posterior/mean/1.0"), path.join("aside"));
    let (from, to) = (file.clone(), aside.clone());
    let full = run().threads(1).to_dir(&path).on_progress(move |progress| {
        if !to.exists() && progress.chains.iter().all(|chain| chain.draws >= 700) {
            fs::rename(&from, &to).unwrap();
            std::os::unix::fs::symlink("/dev/full", &from).unwrap();
        }
        ControlFlow::Continue(())
    });
    assert!(matches!(full.stream(Key::new(0), &target()).unwrap(), Ended::Failed(error)
        if error.to_string().contains("posterior/mean/1.0") && error.to_string().contains("space")));
    fs::remove_file(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    let n = shown(&path);
    assert!((700..2_000).contains(&n), "{n}");
    python(
        &path,
        &format!(
            "assert np.isfinite(data.posterior['mean'].values).all() and data.posterior.sizes['draw'] == {n}"
        ),
    );
    let ended = run().to_dir(&path).stream(Key::new(0), &target()).unwrap();
    assert!(matches!(ended, Ended::Complete));
    let draws = run().resume(&path, Key::new(0), &target()).unwrap();
    assert_eq!(bits(&draws), bits(&whole));
    fs::remove_dir_all(&path).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_at_once() {
    // No file can be made in it, whoever asks.
    let path = Path::new("/proc/probpipe-run");
    if Path::new("/proc/self").exists() {
        let error = run().to_dir(path).sample(Key::new(0), &target()).unwrap_err();
        assert!(error.message().contains("cannot make `/proc/probpipe-run"), "{error}");
        let draws = run().sample(Key::new(0), &target()).unwrap();
        let error = draws.to_zarr(path).unwrap_err();
        assert!(error.message().contains("cannot make `/proc/probpipe-run"), "{error}");
    }
    let path = place("file");
    fs::write(&path, "a file").unwrap();
    let error = run().to_dir(&path).sample(Key::new(0), &target()).unwrap_err();
    assert!(error.message().contains("cannot make"), "{error}");
    fs::remove_file(&path).unwrap();
    let path = place("full-folder");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("mine"), "a file").unwrap();
    let error = run().to_dir(&path).sample(Key::new(0), &target()).unwrap_err();
    assert!(error.message().contains("is not empty"), "{error}");
    fs::remove_dir_all(&path).unwrap();
}

/// A slow run, in a process of its own.
#[test]
fn child() {
    let Ok(path) = env::var(CHILD) else { return };
    let slow = run().to_dir(path).on_progress(|_| {
        thread::sleep(Duration::from_millis(30));
        ControlFlow::Continue(())
    });
    let ended = slow.stream(Key::new(0), &target()).unwrap();
    println!("it ended: {ended:?}");
}

fn spawn(path: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["child", "--exact", "--nocapture"]).env(CHILD, path);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

fn wait_for(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < Duration::from_secs(60), "the run does not come that far");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_run_that_is_killed_goes_on_to_the_same_bits() {
    let whole = run().sample(Key::new(0), &target()).unwrap();
    let path = place("killed");
    let mut child = spawn(&path);
    let kept = |chain: usize| path.join(format!(".run/chain-{chain}")).exists();
    wait_for(|| shown(&path) >= 300 && kept(0) && kept(1));
    child.kill().unwrap();
    child.wait().unwrap();
    let n = shown(&path);
    assert!((300..2_000).contains(&n), "{n}");
    python(
        &path,
        &format!(
            "assert np.isfinite(data.posterior['mean'].values).all() and data.posterior.sizes['draw'] == {n}"
        ),
    );
    // Killed once more, on its way from there.
    let again = run().on_progress(move |progress| {
        match progress.chains.iter().all(|chain| chain.draws >= n + 200) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    let draws = again.resume(&path, Key::new(0), &target()).unwrap();
    assert!(matches!(draws.ended, Ended::Interrupted));
    let draws = run().threads(1).resume(&path, Key::new(0), &target()).unwrap();
    assert_eq!(bits(&draws), bits(&whole));
    fs::remove_dir_all(&path).unwrap();
}

/// Whether processes started from here ignore SIGINT, number 2 of the set that Linux tells.
fn interrupts_are_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.is_some_and(|set| u64::from_str_radix(set.trim(), 16).is_ok_and(|set| set & 2 != 0))
}

#[test]
fn control_c_ends_a_run_in_order() {
    if interrupts_are_ignored() {
        println!("skipped: this was started where SIGINT is ignored");
        return;
    }
    let path = place("interrupted");
    let child = spawn(&path);
    wait_for(|| shown(&path) >= 100);
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let told = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("it ended: Interrupted"), "{told:?}");
    let n = shown(&path);
    assert!((100..2_000).contains(&n), "{n}");
    let whole = run().sample(Key::new(0), &target()).unwrap();
    let draws = run().resume(&path, Key::new(0), &target()).unwrap();
    assert_eq!(bits(&draws), bits(&whole));
    fs::remove_dir_all(&path).unwrap();
}
