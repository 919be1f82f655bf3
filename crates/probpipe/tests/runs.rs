//! Whole runs.

use probpipe::inference::Target;
use probpipe::inference::mcmc::Nuts;
use probpipe::prelude::*;
use std::time::Instant;

fn eight_schools() -> Target<ChoiceMap> {
    let sigma = probpipe::array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0f64]);
    let y = probpipe::array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0f64]);
    let model = generative(move |t: &mut Choices| {
        let mu = t.sample("mu", Normal::new(0.0, 5.0));
        let tau = t.sample("tau", probpipe::HalfCauchy::new(5.0));
        let z = t.call("z", Normal::new(0.0, 1.0).repeat(8), ());
        t.sample("y", Normal::new(&mu + &tau * &z, &sigma))
    });
    Target::of(model, (), &ChoiceMap::new([("y", y)])).unwrap()
}

#[test]
fn first() {
    probpipe::with_default_float(DType::F64, || {
        let t = Instant::now();
        let target = eight_schools();
        println!("target {:?}", t.elapsed());
        for threads in [1, 2, 2] {
            let t = Instant::now();
            let draws =
                Nuts::default().chains(4).threads(threads).sample(Key::new(0), &target).unwrap();
            println!("run {:?}", t.elapsed());
            let steps = draws.stats["steps"].cast(DType::F64).sum().item::<f64>().unwrap();
            println!("steps a draw {}", steps / 4000.0);
            println!("acceptance {}", draws.stats["acceptance"].mean());
            println!("diverging {}", draws.stats["diverging"].cast(DType::F64).sum());
            for name in ["mu", "tau"] {
                let x = &draws.values[name];
                println!("{name} {:?} mean {} sd {}", x.shape(), x.mean(), x.std());
            }
        }
    });
}
