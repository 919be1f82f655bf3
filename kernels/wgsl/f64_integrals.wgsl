// Functions in double precision that are integrals of one elementary function: Bessel functions,
// exponential integrals, the scaled complementary error function and Owen's T, as in
// integrals.wgsl. DLMF chapters 6, 7 and 10; Owen's T after M. Patefield and D. Tandy, J. Stat.
// Software 5 (2000). The polynomials are fits made for this file, good to about 1e-16.

// e^-a I0(a) for a >= 0.
fn pp_i0e_positive_f64(a: f64) -> f64 {
    if (a < 2.0lf) {
        let t = a - 1.0lf;
        return 0.46575960759364043lf + t * (-0.257849192243932lf + t * (0.15389398456907677lf
            + t * (-0.07626738330347066lf + t * (0.0312117355589164lf
            + t * (-0.010760498514459114lf + t * (0.003190394265587606lf
            + t * (-0.0008279390738152988lf + t * (0.00019080421921586476lf
            + t * (-3.951737961856651e-5lf + t * (7.4283165875990046e-6lf
            + t * (-1.2778927944871598e-6lf + t * (2.0261304173256942e-7lf
            + t * (-2.9784768877855736e-8lf + t * (4.074061438034902e-9lf
            + t * (-5.227375233990194e-10lf + t * (6.670766902336498e-11lf
            + t * -7.567953013872532e-12lf))))))))))))))));
    }
    if (a < 5.0lf) {
        let t = (a - 3.5lf) / 1.5lf;
        return 0.22280243801077917lf + t * (-0.05310369211159376lf + t * (0.019419831402124662lf
            + t * (-0.007899310766862221lf + t * (0.0032618066960662007lf
            + t * (-0.001298072819462933lf + t * (0.0004835711253339147lf
            + t * (-0.00016633006380677935lf + t * (5.258195876694212e-5lf
            + t * (-1.5282194258594542e-5lf + t * (4.094267644780304e-6lf
            + t * (-1.0148682850908926e-6lf + t * (2.336814549637497e-7lf
            + t * (-5.018334419298818e-8lf + t * (1.0092103516267536e-8lf
            + t * (-1.9062468497621644e-9lf + t * (3.370546662225192e-10lf
            + t * (-5.677553960738216e-11lf + t * (1.017088673556849e-11lf
            + t * -1.5353785767876581e-12lf))))))))))))))))));
    }
    if (a < 10.0lf) {
        let t = (a - 7.5lf) / 2.5lf;
        return 0.14831583007739552lf + t * (-0.025686546322103238lf + t * (0.006699194326693858lf
            + t * (-0.0019513060939909564lf + t * (0.0006008499997723686lf
            + t * (-0.00019194572227332622lf + t * (6.306052482011403e-5lf
            + t * (-2.116760948476623e-5lf + t * (7.2044332318162145e-6lf
            + t * (-2.4621762831096462e-6lf + t * (8.357104739104017e-7lf
            + t * (-2.787140952394539e-7lf + t * (9.049675669805593e-8lf
            + t * (-2.8399154431338417e-8lf + t * (8.577166457999206e-9lf
            + t * (-2.496027873218013e-9lf + t * (6.921081315891913e-10lf
            + t * (-1.746803184327954e-10lf + t * (4.452937847326778e-11lf
            + t * (-1.4856615398488084e-11lf + t * 3.4302441098346367e-12lf)))))))))))))))))));
    }
    if (a < 20.0lf) {
        let t = 0.2lf * (a - 15.0lf);
        return 0.10389953144882272lf + t * (-0.017626782018280333lf + t * (0.004488764220429247lf
            + t * (-0.001271065546293013lf + t * (0.0003782328770160273lf
            + t * (-0.00011587295255498322lf + t * (3.6192080219611744e-5lf
            + t * (-1.1464102795694144e-5lf + t * (3.670937992968703e-6lf
            + t * (-1.1859132818550717e-6lf + t * (3.860168142706232e-7lf
            + t * (-1.2650305352165595e-7lf + t * (4.173386060962238e-8lf
            + t * (-1.3850888558724813e-8lf + t * (4.60035945219986e-9lf
            + t * (-1.543760316453041e-9lf + t * (5.517612460793141e-10lf
            + t * (-1.8937654910413244e-10lf + t * (4.265027973950518e-11lf
            + t * (-1.4028353837723062e-11lf + t * (1.4200878366486745e-11lf
            + t * -4.988113525180606e-12lf))))))))))))))))))));
    }
    let t = 40.0lf / a - 1.0lf;
    let p = 0.40020698164667806lf + t * (0.0012832022732774198lf + t * (1.9015951982738167e-5lf
        + t * (5.365977484598835e-7lf + t * (2.291670645341461e-8lf + t * (1.3344628289551292e-9lf
        + t * (9.989463866036007e-11lf + t * (9.248765467000563e-12lf
        + t * (1.0334896329372742e-12lf + t * (1.4943625582689475e-13lf
        + t * 2.4219745277413724e-14lf)))))))));
    return p / sqrt(a);
}

// e^-a I1(a) for a >= 0.
fn pp_i1e_positive_f64(a: f64) -> f64 {
    if (a < 2.0lf) {
        let t = a - 1.0lf;
        let p = 0.20791041534970844lf + t * (-0.1579716384554849lf + t * (0.0830634731141495lf
            + t * (-0.034483914182061745lf + t * (0.011893157168690353lf
            + t * (-0.0035112900879728575lf + t * (0.0009061108367437558lf
            + t * (-0.00020761616815526005lf + t * (4.276397152037395e-5lf
            + t * (-7.998144367309872e-6lf + t * (1.3696377052362638e-6lf
            + t * (-2.1625728881829822e-7lf + t * (3.1673343199771485e-8lf
            + t * (-4.325136740442163e-9lf + t * (5.524423868717325e-10lf
            + t * (-6.64478398397564e-11lf + t * (7.931163013597666e-12lf
            + t * -8.501057278361011e-13lf))))))))))))))));
        return a * p;
    }
    if (a < 5.0lf) {
        let t = (a - 3.5lf) / 1.5lf;
        let p = 0.05354285045801428lf + t * (-0.030721388360699754lf + t * (0.014200940688414248lf
            + t * (-0.0058578773171323656lf + t * (0.0022062037924441874lf
            + t * (-0.0007637411448540919lf + t * (0.0002437073937670454lf
            + t * (-7.184401124918036e-5lf + t * (1.9615660026591163e-5lf
            + t * (-4.974449794264239e-6lf + t * (1.1753071060094912e-6lf
            + t * (-2.595305350965169e-7lf + t * (5.373001762082568e-8lf
            + t * (-1.0462416123707999e-8lf + t * (1.9208828843955506e-9lf
            + t * (-3.31606407529735e-10lf + t * (5.4607152892243315e-11lf
            + t * (-9.492896395908386e-12lf + t * 1.4086290264084675e-12lf)))))))))))))))));
        return a * p;
    }
    if (a < 10.0lf) {
        let t = (a - 7.5lf) / 2.5lf;
        let p = 0.01840549487314056lf + t * (-0.008845457072479938lf
            + t * (0.0035295026260141167lf + t * (-0.001308493687918942lf
            + t * (0.000465092369996716lf + t * (-0.0001604441850213288lf
            + t * (5.3986890863829064e-5lf + t * (-1.774408675857565e-5lf
            + t * (5.693441448483798e-6lf + t * (-1.780391438075267e-6lf
            + t * (5.413820874907562e-7lf + t * (-1.5970567215999027e-7lf
            + t * (4.5605356866491165e-8lf + t * (-1.2581855428411161e-8lf
            + t * (3.3497592370372282e-9lf + t * (-8.617764341912139e-10lf
            + t * (2.130490126579016e-10lf + t * (-4.9080254425762306e-11lf
            + t * (1.1276382176359541e-11lf + t * (-3.230323548903136e-12lf
            + t * 6.843165147253334e-13lf)))))))))))))))))));
        return a * p;
    }
    if (a < 20.0lf) {
        let t = 0.2lf * (a - 15.0lf);
        let p = 0.006691611669677777lf + t * (-0.0032859556452331643lf
            + t * (0.0013437268745879547lf + t * (-0.0005124742411749601lf
            + t * (0.00018831540868892893lf + t * (-6.760129997586695e-5lf
            + t * (2.3876589080365765e-5lf + t * (-8.331569891942987e-6lf
            + t * (2.87960956370326e-6lf + t * (-9.874614920473565e-7lf
            + t * (3.3633450860518285e-7lf + t * (-1.1386863023372489e-7lf
            + t * (3.833769998731687e-8lf + t * (-1.2842233963922303e-8lf
            + t * (4.278458180358818e-9lf + t * (-1.4125260659417565e-9lf
            + t * (4.651215486425483e-10lf + t * (-1.5800232227481412e-10lf
            + t * (5.1531089712830076e-11lf + t * (-1.2607699840793922e-11lf
            + t * (3.979219401454977e-12lf + t * (-2.8722920501102517e-12lf
            + t * 9.07632135957896e-13lf)))))))))))))))))))));
        return a * p;
    }
    let t = 40.0lf / a - 1.0lf;
    let p = 0.39517231431926264lf + t * (-0.0038005359369851287lf + t * (-3.128367269449969e-5lf
        + t * (-7.413880534070678e-7lf + t * (-2.9072203145943895e-8lf
        + t * (-1.6089569096037791e-9lf + t * (-1.1643407493016565e-10lf
        + t * (-1.052307166653962e-11lf + t * (-1.1547540848765725e-12lf
        + t * (-1.642998386943778e-13lf + t * -2.631230314685794e-14lf)))))))));
    return p / sqrt(a);
}

fn pp_i0e_f64(x: f64) -> f64 {
    let value = select(pp_i0e_positive_f64(abs(x)), 0.0lf, pp_is_inf_f64(x));
    return select(value, x, pp_is_nan_f64(x));
}

fn pp_i1e_f64(x: f64) -> f64 {
    let value = select(pp_i1e_positive_f64(abs(x)), 0.0lf, pp_is_inf_f64(x));
    return select(pp_copysign_f64(value, x), x, pp_is_nan_f64(x));
}

// e^a times a scaled function of a, in two factors so that only the result overflows.
fn pp_unscaled_f64(a: f64, scaled: f64) -> f64 {
    let large = a >= 709.0lf;
    let root = pp_exp_f64(min(select(a, 0.5lf * a, large), 710.0lf));
    let value = select(root * scaled, root * scaled * root, large);
    return select(value, pp_inf_f64(), a > 730.0lf);
}

fn pp_i0_f64(x: f64) -> f64 {
    let a = abs(x);
    return select(pp_unscaled_f64(a, pp_i0e_positive_f64(a)), x, pp_is_nan_f64(x));
}

fn pp_i1_f64(x: f64) -> f64 {
    let a = abs(x);
    let value = pp_unscaled_f64(a, pp_i1e_positive_f64(a));
    return select(pp_copysign_f64(value, x), x, pp_is_nan_f64(x));
}

// The derivative of i0e, i1e - i0e for positive arguments.
fn pp_i0e_slope_f64(x: f64) -> f64 {
    let a = abs(x);
    if (pp_is_nan_f64(x) || pp_magnitude_bits_f64(x) == 0lu) {
        return x;
    }
    var value = 0.0lf;
    if (a < 2.0lf) {
        let t = a - 1.0lf;
        value = 0.257849192243932lf + t * (-0.30778796913815554lf + t * (0.2288021499104131lf
            + t * (-0.12484694223555814lf + t * (0.053802492572263785lf
            + t * (-0.019142365595180382lf + t * (0.005795573517063175lf
            + t * (-0.0015264337423800955lf + t * (0.00035565641458320624lf
            + t * (-7.428320685062721e-5lf + t * (1.4056826911468278e-5lf
            + t * (-2.431273061529687e-6lf + t * (3.871907733948137e-7lf
            + t * (-5.71331362030419e-8lf + t * (7.852901462653885e-9lf
            + t * (-1.0086401470842311e-9lf + t * (1.2194665462362997e-10lf
            + t * (-1.4670639322402145e-11lf + t * 1.578481555812492e-12lf)))))))))))))))));
    } else if (a < 5.0lf) {
        let t = (a - 3.5lf) / 1.5lf;
        value = 0.03540246140772917lf + t * (-0.025893108536166103lf + t * (0.01579862153372435lf
            + t * (-0.008698151189517321lf + t * (0.004326909398213001lf
            + t * (-0.0019342845011925689lf + t * (0.0007762069643869241lf
            + t * (-0.00028043711466380425lf + t * (9.169316586455708e-5lf
            + t * (-2.729511184467489e-5lf + t * (7.442366172040568e-6lf
            + t * (-1.8694674229658272e-6lf + t * (4.349253513921096e-7lf
            + t * (-9.416706542431517e-8lf + t * (1.905793259441833e-8lf
            + t * (-3.6204104797692236e-9lf + t * (6.475384284333146e-10lf
            + t * (-1.0873026667616512e-10lf + t * (1.7420313089593095e-11lf
            + t * (-2.9600831445903925e-12lf + t * 4.2690853678257744e-13lf)))))))))))))))))));
    } else if (a < 10.0lf) {
        let t = (a - 7.5lf) / 2.5lf;
        value = 0.0102746185288413lf + t * (-0.005359355461355101lf + t * (0.002341567312787792lf
            + t * (-0.0009613599996345819lf + t * (0.0003838914445954535lf
            + t * (-0.00015134525959654033lf + t * (5.9269305880637e-5lf
            + t * (-2.305418604030063e-5lf + t * (8.863839356153891e-6lf
            + t * (-3.3428436544572578e-6lf + t * (1.2263230712169389e-6lf
            + t * (-4.3437829228512347e-7lf + t * (1.477215371924349e-7lf
            + t * (-4.804551392303463e-8lf + t * (1.4907518400532055e-8lf
            + t * (-4.411139916585802e-9lf + t * (1.2496101202414287e-9lf
            + t * (-3.359949243949734e-10lf + t * (8.222020792864065e-11lf
            + t * (-2.0245040884550597e-11lf + t * (6.461067178919745e-12lf
            + t * -1.4393823988252994e-12lf))))))))))))))))))));
    } else if (a < 20.0lf) {
        let t = 0.2lf * (a - 15.0lf);
        value = 0.003525356403656066lf + t * (-0.001795505688171776lf
            + t * (0.0007626393277759864lf + t * (-0.00030258630160668085lf
            + t * (0.00011587295254724375lf + t * (-4.343049640597423e-5lf
            + t * (1.6049744043994868e-5lf + t * (-5.873499286172089e-6lf
            + t * (2.134642792855722e-6lf + t * (-7.720422677015737e-7lf
            + t * (2.783122653983797e-7lf + t * (-1.0013169284019793e-7lf
            + t * (3.599516296858961e-8lf + t * (-1.2943671871163744e-8lf
            + t * (4.665198654162228e-9lf + t * (-1.683372512510856e-9lf
            + t * (6.009178408701181e-10lf + t * (-2.173592591116399e-10lf
            + t * (8.700376504133364e-11lf + t * (-3.175440940962945e-11lf
            + t * (6.052888813806835e-12lf + t * (-2.125387932935787e-12lf
            + t * (2.8375596175146113e-12lf + t * -1.003281001157468e-12lf))))))))))))))))))))));
    } else if (!pp_is_inf_f64(x)) {
        let t = 40.0lf / a - 1.0lf;
        let p = 0.2013866930966164lf + t * (0.001962835313881443lf + t * (4.914967320503387e-5lf
            + t * (1.9697589509772708e-6lf + t * (1.0979746843688099e-7lf
            + t * (7.938869454951923e-9lf + t * (7.141278788063006e-10lf
            + t * (7.776341809624111e-11lf + t * (1.005794963743817e-11lf
            + t * (1.5027475676774152e-12lf + t * (2.593174616264192e-13lf
            + t * (6.851949115118253e-14lf + t * 1.7886144737828133e-14lf)))))))))));
        value = p / sqrt(a) / a;
    }
    return pp_copysign_f64(value, -x);
}

// e^(x^2) erfc(x) for x >= 0: 1 + 2x times it is a smooth function of (x - 3)/(x + 3).
fn pp_erfcx_positive_f64(x: f64) -> f64 {
    let b = min(x, 1e20lf);
    let t = (b - 3.0lf) / (b + 3.0lf);
    let p = 1.2530080582697296lf + t * (-0.13562110612458117lf + t * (-0.0475622943534492lf
        + t * (0.1296451587027594lf + t * (-0.11927366341538638lf + t * (0.0683080273440099lf
        + t * (-0.02377051491717134lf + t * (0.0025293918156939696lf
        + t * (0.0018886903449991718lf + t * (-0.0007798322696543306lf
        + t * (-0.00010515971958448065lf + t * (0.0001250993424583729lf
        + t * (4.949196649968345e-6lf + t * (-2.0100542268525612e-5lf
        + t * (-7.308281468783614e-7lf + t * (3.472370944977168e-6lf
        + t * (3.5576086684080595e-7lf + t * (-6.166011460398726e-7lf
        + t * (-1.4047654315428462e-7lf + t * (1.0183620603842736e-7lf
        + t * (4.1064013667940355e-8lf + t * (-1.3312919661038687e-8lf
        + t * (-8.217595058711455e-9lf + t * (9.862533510345587e-10lf
        + t * 8.393734858690877e-10lf)))))))))))))))))))))));
    return select(p / (1.0lf + (b + b)), 0.5641895835477563lf / x, x > 1e20lf);
}

fn pp_erfcx_f64(x: f64) -> f64 {
    if (abs(x) < 0.5lf) {
        // Nothing is large here, and the quotient above is steepest.
        return pp_exp_f64(x * x) * pp_erfc_f64(x);
    }
    let value = pp_erfcx_positive_f64(abs(x));
    if (x < 0.0lf) {
        // erfc(x) = 2 - erfc(-x), with a square in two parts.
        let b = max(x, -30.0lf);
        return 2.0lf * pp_dd_exp_f64(pp_two_product_f64(b, b)) - value;
    }
    return select(value, x, pp_is_nan_f64(x));
}

// A node on [-1, 1] and its weight, of Gauss's rule with 32 nodes, the largest first. By choices,
// since places of an array that are not constants are slow on some devices.
fn pp_gauss_f64(i: i32) -> vec2<f64> {
    let k = select(15 - i, i - 16, i > 15);
    let one = (k & 1) == 1;
    let two = (k & 2) == 2;
    let four = (k & 4) == 4;
    let p0 = select(vec2<f64>(0.04830766568773832lf, 0.0965400885147278lf),
        vec2<f64>(0.1444719615827965lf, 0.09563872007927486lf), one);
    let p1 = select(vec2<f64>(0.23928736225213706lf, 0.09384439908080457lf),
        vec2<f64>(0.33186860228212767lf, 0.09117387869576389lf), one);
    let p2 = select(vec2<f64>(0.42135127613063533lf, 0.08765209300440381lf),
        vec2<f64>(0.5068999089322294lf, 0.08331192422694675lf), one);
    let p3 = select(vec2<f64>(0.5877157572407623lf, 0.07819389578707031lf),
        vec2<f64>(0.6630442669302152lf, 0.0723457941088485lf), one);
    let p4 = select(vec2<f64>(0.7321821187402897lf, 0.06582222277636185lf),
        vec2<f64>(0.7944837959679424lf, 0.058684093478535544lf), one);
    let p5 = select(vec2<f64>(0.84936761373257lf, 0.050998059262376175lf),
        vec2<f64>(0.8963211557660521lf, 0.04283589802222668lf), one);
    let p6 = select(vec2<f64>(0.9349060759377397lf, 0.03427386291302143lf),
        vec2<f64>(0.9647622555875064lf, 0.02539206530926206lf), one);
    let p7 = select(vec2<f64>(0.9856115115452684lf, 0.01627439473090567lf),
        vec2<f64>(0.9972638618494816lf, 0.007018610009470096lf), one);
    let low = select(select(p0, p1, two), select(p2, p3, two), four);
    let high = select(select(p4, p5, two), select(p6, p7, two), four);
    let rule = select(low, high, k > 7);
    return vec2<f64>(select(rule.x, -rule.x, i > 15), rule.y);
}

// What follows left of -20 for n > 0, where the values before the last may be beyond the range: by
// the same recurrence without the exponential, by powers of two apart.
fn pp_erfcx_left_f64(x: f64, n: i32) -> f64 {
    let square = pp_two_product_f64(x, x);
    if (!(square.x <= 1e9lf)) {
        return pp_inf_f64();
    }
    var before = 1.1283791670955126lf * pp_exp_f64(-square.x);
    var y = 2.0lf;
    var steps = 0.0lf;
    for (var k = 1; k <= n; k = k + 1) {
        let next = (0.5lf * before - x * y) / f64(k);
        before = y;
        y = next;
        if (y < 7.458340731200207e-155lf) {
            before = before * 1.3407807929942597e154lf;
            y = y * 1.3407807929942597e154lf;
            steps = steps - 1.0lf;
        } else if (y >= 1.3407807929942597e154lf) {
            before = before * 7.458340731200207e-155lf;
            y = y * 7.458340731200207e-155lf;
            steps = steps + 1.0lf;
        }
    }
    // 512 log 2 for each step
    let log = pp_dd_times_f64(vec2<f64>(354.891356446692lf, 1.1873519686893054e-14lf), steps);
    let half = pp_dd_exp_f64(pp_dd_add_f64(square, log) * 0.5lf);
    return half * y * half;
}

// 2/sqrt(pi) times the integral of e^h with h = n log s - s^2 - 2 x s, less log n!, from its peak to
// both sides: for larger n one rule over all of it would miss that.
fn pp_erfcx_around_peak_f64(x: f64, n: f64) -> f64 {
    if (x > 1e60lf) {
        return 0.0lf;
    }
    let p = n / (x + sqrt(x * x + 2.0lf * n));
    // h is concave, and a parabola with the curvature there bounds it on the left; on the right by
    // Newton's steps to where e^h does not show.
    let width = 1.0lf / sqrt(n / p / p + 2.0lf);
    let low = max(p - 9.0lf * width, 0.0lf);
    var high = p + 9.0lf * width;
    for (var k = 0; k < 6; k = k + 1) {
        let d = high - p;
        let h = n * pp_log1p_less_f64(d / p) - d * d;
        high = high + (h + 40.0lf) / (n * d / p / high + 2.0lf * d);
    }
    var sum = 0.0lf;
    for (var i = 0; i < 64; i = i + 1) {
        let rule = pp_gauss_f64(i & 31);
        let length = select(low - p, high - p, i > 31);
        // At the peak the linear parts cancel: n / p = 2 (p + x).
        let d = length * (0.5lf + 0.5lf * rule.x);
        sum = sum + abs(length) * rule.y * pp_exp_f64(n * pp_log1p_less_f64(d / p) - d * d);
    }
    let power = pp_dd_times_f64(pp_dd_log_f64(vec2<f64>(p, 0.0lf)), n);
    let gauss = pp_dd_times_f64(pp_dd_add_f64(pp_two_sum_f64(p, x), vec2<f64>(x, 0.0lf)), -p);
    let exponent = pp_dd_add_f64(pp_dd_add_f64(power, gauss), -pp_dd_lgamma_f64(n + 1.0lf));
    return 0.5641895835477563lf * sum * pp_dd_exp_f64(exponent);
}

// e^(x^2) times the n-th repeated integral of erfc, n > 0.
fn pp_erfcx_derivative_f64(x: f64, n: i32) -> f64 {
    if (pp_is_nan_f64(x)) {
        return x;
    }
    if (x < -20.0lf) {
        return pp_erfcx_left_f64(x, n);
    }
    if (x <= 0.0lf) {
        // 2 k y[k] = y[k-2] - 2 x y[k-1], all positive here; y[-1] = 2/sqrt(pi).
        var before = 1.1283791670955126lf;
        var y = pp_erfcx_f64(x);
        for (var k = 1; k <= n; k = k + 1) {
            let next = (0.5lf * before - x * y) / f64(k);
            before = y;
            y = next;
        }
        return y;
    }
    if (pp_is_inf_f64(x)) {
        return 0.0lf;
    }
    if (n > 4) {
        return pp_erfcx_around_peak_f64(x, f64(n));
    }
    // 2/sqrt(pi) times the integral of s^n/n! e^(-s^2 - 2 x s), cut where it does not show.
    let m = f64(n);
    let cut = 40.0lf + 4.0lf * m;
    let end = cut / (x + sqrt(x * x + cut));
    var sum = 0.0lf;
    for (var i = 0; i < 33; i = i + 1) {
        // Powers of s/end; the power of end, which may underflow, last.
        let rule = pp_gauss_f64(i & 31);
        let u = select(0.5lf + 0.5lf * rule.x, end, i == 32);
        let power = pp_pow_f64(u, m);
        let s = u * end;
        let term = rule.y * power * pp_exp_f64(-s * (s + 2.0lf * x));
        sum = select(sum + term, sum * power, i == 32);
    }
    // Over n!.
    var value = 0.5641895835477563lf * end * sum;
    for (var k = 2; k <= n; k = k + 1) {
        value = value / f64(k);
    }
    return value;
}

// The exponential integral E1(x) for x > 0.
fn pp_exp1_positive_f64(x: f64) -> f64 {
    if (x <= 1.0lf) {
        let p = 1.0lf + x * (-0.24999999999999972lf + x * (0.055555555555542056lf
            + x * (-0.010416666666413575lf + x * (0.0016666666642137307lf
            + x * (-0.0002314814674379655lf + x * (2.8344620142840845e-5lf
            + x * (-3.100075879746843e-6lf + x * (3.0599540822834476e-7lf
            + x * (-2.7346435442411405e-8lf + x * (2.1320901677834988e-9lf
            + x * -1.141774386672446e-10lf))))))))));
        return (x * p - 0.5772156649015329lf) - pp_log_f64(x);
    }
    var p = 0.0lf;
    if (x < 2.0lf) {
        let t = 2.0lf * x - 3.0lf;
        p = 0.6723850039373744lf + t * (0.06032083661447868lf + t * (-0.0122210405182664lf
            + t * (0.0026722108942347817lf + t * (-0.0006205521421675171lf
            + t * (0.00015112891067751904lf + t * (-3.8227686244132387e-5lf
            + t * (9.969588550107378e-6lf + t * (-2.66570631560687e-6lf
            + t * (7.27635758250166e-7lf + t * (-2.020890800767226e-7lf
            + t * (5.69554490488554e-8lf + t * (-1.624045166608153e-8lf
            + t * (4.684041451609757e-9lf + t * (-1.38426345557304e-9lf
            + t * (4.0796301138971376e-10lf + t * (-1.0373001144855553e-10lf
            + t * (3.019332515871676e-11lf + t * (-1.7035942589609368e-11lf
            + t * 5.2793695012760405e-12lf))))))))))))))))));
    } else if (x < 4.0lf) {
        let t = x - 3.0lf;
        p = 0.7862512207659554lf + t * (0.048334961021273964lf + t * (-0.011457316028371486lf
            + t * (0.002824480996060518lf + t * (-0.0007194029193245133lf
            + t * (0.00018829873304312925lf + t * (-5.042787002085326e-5lf
            + t * (1.3769260852413811e-5lf + t * (-3.822315964224477e-6lf
            + t * (1.0762406115916993e-6lf + t * (-3.067947735384734e-7lf
            + t * (8.83970582040383e-8lf + t * (-2.5685824937854125e-8lf
            + t * (7.530695797787772e-9lf + t * (-2.259858149139939e-9lf
            + t * (6.745457666436739e-10lf + t * (-1.7227012770372095e-10lf
            + t * (5.062379566879588e-11lf + t * (-2.921340740712148e-11lf
            + t * 9.123896782712774e-12lf))))))))))))))))));
    } else if (x < 10.0lf) {
        let t = (x - 7.0lf) / 3.0lf;
        p = 0.8864876725364293lf + t * (0.03938630583918677lf + t * (-0.013892751753516985lf
            + t * (0.004971772428029782lf + t * (-0.0018020778342570242lf
            + t * (0.0006606005106784041lf + t * (-0.0002446022847946457lf
            + t * (9.138347631280409e-5lf + t * (-3.441552823470917e-5lf
            + t * (1.3054857007029698e-5lf + t * (-4.984396657039251e-6lf
            + t * (1.913982366248409e-6lf + t * (-7.389571491276078e-7lf
            + t * (2.875373543424129e-7lf + t * (-1.1219468745035393e-7lf
            + t * (4.25108263491231e-8lf + t * (-1.654589152047872e-8lf
            + t * (8.083182427440551e-9lf + t * (-3.3117245559718077e-9lf
            + t * (2.1860856685662366e-10lf + t * (-3.839902328784339e-11lf
            + t * (4.5327599884130166e-10lf + t * -1.900651961314709e-10lf)))))))))))))))))))));
    } else {
        let t = 20.0lf / x - 1.0lf;
        p = 0.9543709099192168lf + t * (-0.04178910830355355lf + t * (0.003389290531255414lf
            + t * (-0.0003846822247703579lf + t * (5.463711881352213e-5lf
            + t * (-9.149509097935612e-6lf + t * (1.7415307451666457e-6lf
            + t * (-3.6763885452363333e-7lf + t * (8.458365508288312e-8lf
            + t * (-2.0935011340531943e-8lf + t * (5.512216857162588e-9lf
            + t * (-1.5339278376577014e-9lf + t * (4.5929788835157893e-10lf
            + t * (-1.4200727484570597e-10lf + t * (3.4614763832341115e-11lf
            + t * (-1.0396199592614046e-11lf + t * (9.124859909404615e-12lf
            + t * -3.440568197068729e-12lf))))))))))))))));
    }
    return pp_exp_f64(-x) * (p / x);
}

// The exponential integral Ei(x) for x > 0.
fn pp_expi_positive_f64(x: f64) -> f64 {
    if (x < 2.0lf) {
        // log(x/z) + (x - z) g(x) with the zero z in two parts; W. Cody and H. Thacher, Math. Comp.
        // 23 (1969) 289.
        let t = x - 1.0lf;
        let g = 1.4464226116849943lf + t * (0.43324689636984515lf + t * (0.10638070437337956lf
            + t * (0.021247954051104804lf + t * (0.0035515323723023296lf
            + t * (0.000509336313517471lf + t * (6.391709396165244e-5lf
            + t * (7.1278864009032825e-6lf + t * (7.151505467885592e-7lf
            + t * (6.520670666939847e-8lf + t * (5.447700514861834e-9lf
            + t * (4.20054197017524e-10lf + t * (3.051406347210756e-11lf
            + t * 2.0365370636849464e-12lf))))))))))));
        let offset = pp_apart_f64(x - 0.3725074107813666lf) - 1.3140183414386028e-17lf;
        var log = 0.0lf;
        if (abs(offset) < 0.2lf) {
            log = pp_log1p_f64(offset / 0.3725074107813666lf);
        } else {
            log = pp_log_f64(x) + 0.9874983466453419lf;
        }
        return log + offset * g;
    }
    var p = 0.0lf;
    if (x < 4.0lf) {
        let t = x - 3.0lf;
        p = 1.4837292040459238lf + t * (0.010847197302717562lf + t * (-0.0860451326590107lf
            + t * (0.03703703703703468lf + t * (-0.008261671043913848lf
            + t * (0.0008355326151204558lf + t * (0.00013405237519376187lf
            + t * (-9.085483906294831e-5lf + t * (2.8485043451150236e-5lf
            + t * (-7.1850214000753295e-6lf + t * (1.6850271627735971e-6lf
            + t * (-3.9501053658987716e-7lf + t * (9.57892099608017e-8lf
            + t * (-2.425620449211796e-8lf + t * (6.448566554991594e-9lf
            + t * (-1.7536336538432964e-9lf + t * (4.303681759331503e-10lf
            + t * (-1.188429564302491e-10lf + t * (6.03631389915086e-11lf
            + t * -1.8023873393812663e-11lf))))))))))))))))));
    } else if (x < 8.0lf) {
        let t = 0.5lf * x - 3.0lf;
        p = 1.2788838604895616lf + t * (-0.13147310081593594lf + t * (0.03851181398608199lf
            + t * (-0.0007373884745297539lf + t * (-0.005927043347991974lf
            + t * (0.0036545444722233447lf + t * (-0.001371742112586403lf
            + t * (0.0003704797267272443lf + t * (-7.092802059416917e-5lf
            + t * (6.707594192146666e-6lf + t * (1.5983241631887762e-6lf
            + t * (-1.1330595697334772e-6lf + t * (4.147851677648749e-7lf
            + t * (-1.2264133586755943e-7lf + t * (3.281229974832684e-8lf
            + t * (-8.476928796395009e-9lf + t * (2.1593084426170424e-9lf
            + t * (-4.983039173254611e-10lf + t * (1.281747850398284e-10lf
            + t * (-6.01761346199827e-11lf + t * 1.7260384426990214e-11lf)))))))))))))))))));
    } else if (x < 14.0lf) {
        let t = (x - 11.0lf) / 3.0lf;
        p = 1.1154309389980384lf + t * (-0.042084379085559814lf + t * (0.015904820856414818lf
            + t * (-0.00587315572909191lf + t * (0.0019524928574330244lf
            + t * (-0.0005299326995564006lf + t * (9.506872360775085e-5lf
            + t * (2.6765694173024105e-6lf + t * (-1.127413068996571e-5lf
            + t * (5.906185471385437e-6lf + t * (-2.1380515662136706e-6lf
            + t * (6.209281532624823e-7lf + t * (-1.505695095063101e-7lf
            + t * (3.0352213013551843e-8lf + t * (-4.809486495655384e-9lf
            + t * (4.99760808637987e-10lf + t * (4.172181271317617e-11lf
            + t * (-6.976052925209949e-11lf + t * 2.2291401704314893e-11lf)))))))))))))))));
    } else if (x < 24.0lf) {
        let t = 0.2lf * (x - 19.0lf);
        p = 1.0593052462321515lf + t * (-0.017761692678612336lf + t * (0.0053876223332721285lf
            + t * (-0.0016617529186309676lf + t * (0.000523598659569867lf
            + t * (-0.00016896873247042267lf + t * (5.5626646403856506e-5lf
            + t * (-1.842841569887379e-5lf + t * (6.005830765513231e-6lf
            + t * (-1.8716221380743835e-6lf + t * (5.395842675604226e-7lf
            + t * (-1.3757004352550266e-7lf + t * (2.8351159319793916e-8lf
            + t * (-3.2843443446757486e-9lf + t * (-7.878310783592754e-10lf
            + t * (7.188168905319426e-10lf + t * (-2.938953501537938e-10lf
            + t * (1.0830219514176575e-10lf + t * (-4.8725315046333746e-11lf
            + t * 1.2655287733141885e-11lf))))))))))))))))));
    } else if (x < 40.0lf) {
        let t = 0.125lf * (x - 32.0lf);
        p = 1.033413564216241lf + t * (-0.008955122675868243lf + t * (0.00240692648723163lf
            + t * (-0.0006489660559679573lf + t * (0.00017558962532521506lf
            + t * (-4.769542205223604e-5lf + t * (1.301325785830858e-5lf
            + t * (-3.56882633886672e-6lf + t * (9.846675104126988e-7lf
            + t * (-2.736547597380107e-7lf + t * (7.67187431833797e-8lf
            + t * (-2.1721989519092264e-8lf + t * (6.2258213688598254e-9lf
            + t * (-1.8225786024683017e-9lf + t * (5.350514601158948e-10lf
            + t * (-1.4354316292960106e-10lf + t * (4.256265887794263e-11lf
            + t * (-1.9885676646750743e-11lf + t * 5.644528784967419e-12lf)))))))))))))))));
    } else {
        let t = 80.0lf / x - 1.0lf;
        p = 1.0128248443226306lf + t * (0.013162701487828644lf + t * (0.00035158512009232347lf
            + t * (1.4493677097014765e-5lf + t * (8.207668873316665e-7lf
            + t * (5.994805678653802e-8lf + t * (5.430562520836421e-9lf
            + t * (5.944219517650609e-10lf + t * (7.719010416241122e-11lf
            + t * (1.1567990255569716e-11lf + t * (2.0011016833664054e-12lf
            + t * (5.305060147956148e-13lf + t * 1.3877448585885714e-13lf)))))))))));
    }
    return pp_unscaled_f64(x, p / x);
}

fn pp_exp1_f64(x: f64) -> f64 {
    let zero = pp_magnitude_bits_f64(x) == 0lu;
    if (zero || pp_is_nan_f64(x)) {
        return select(x, pp_inf_f64(), zero);
    }
    if (x < 0.0lf) {
        return -pp_expi_positive_f64(-x);
    }
    return select(pp_exp1_positive_f64(x), 0.0lf, x > 745.0lf);
}

fn pp_expi_f64(x: f64) -> f64 {
    let zero = pp_magnitude_bits_f64(x) == 0lu;
    if (zero || pp_is_nan_f64(x)) {
        return select(x, -pp_inf_f64(), zero);
    }
    if (x < 0.0lf) {
        return select(-pp_exp1_positive_f64(-x), -0.0lf, x < -745.0lf);
    }
    return pp_expi_positive_f64(x);
}

// The upper tail of the normal distribution, for h >= 0.
fn pp_upper_tail_f64(h: f64) -> f64 {
    let b = min(h, 40.0lf);
    return 0.5lf * pp_dd_exp_f64(-0.5lf * pp_two_product_f64(b, b))
        * pp_erfcx_positive_f64(0.7071067811865476lf * b);
}

// T for h >= 0 and 0 <= a <= 1.
fn pp_owens_integral_f64(h: f64, a: f64) -> f64 {
    if (h > 40.0lf) {
        return 0.0lf;
    }
    // e^(-h^2 t^2 / 2) is below 1e-17 beyond.
    let end = select(a, 9.0lf / h, h * a > 9.0lf);
    var sum = 0.0lf;
    for (var i = 0; i < 32; i = i + 1) {
        let rule = pp_gauss_f64(i);
        let t = (0.5lf + 0.5lf * rule.x) * end;
        let ht = h * t;
        sum = sum + rule.y * pp_exp_f64(-0.5lf * ht * ht) / (1.0lf + t * t);
    }
    return pp_dd_exp_f64(-0.5lf * pp_two_product_f64(h, h)) * (sum * end) * 0.07957747154594767lf;
}

fn pp_owens_t_f64(h: f64, a: f64) -> f64 {
    if (pp_is_nan_f64(h) || pp_is_nan_f64(a)) {
        return pp_nan_f64();
    }
    let x = abs(h);
    let size = abs(a);
    if (pp_is_inf_f64(h)) {
        return pp_copysign_f64(0.0lf, a);
    }
    let steep = size > 1.0lf;
    // T(h, a) + T(a h, 1/a) = (Q(h) + Q(a h))/2 - Q(h) Q(a h)
    let far_point = select(x * size, 0.0lf, x == 0.0lf);
    let slope = select(size, 1.0lf / size, steep);
    var value = pp_owens_integral_f64(select(x, far_point, steep), slope);
    if (steep) {
        let near = pp_upper_tail_f64(x);
        let far = pp_upper_tail_f64(far_point);
        value = 0.5lf * (near + far) - near * far - value;
    }
    return pp_copysign_f64(value, a);
}
