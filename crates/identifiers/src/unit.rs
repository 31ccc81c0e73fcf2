//! UN/CEFACT Recommendation 20 (revision 17): common codes of the units that trade in
//! goods meets, and of Recommendation 21's packages as Recommendation 20 lets them stand
//! for units (`X` and the two-letter package code).

use crate::{Normalised, Problem, shorten};

const STANDARD: &str = "UN/CEFACT Recommendation 20";

/// Codes and names.
#[rustfmt::skip]
const UNITS: &[(&str, &str)] = &[
    ("10", "group"), ("11", "outfit"), ("14", "shot"), ("20", "twenty foot container"),
    ("21", "forty foot container"), ("23", "gram per cubic centimetre"),
    ("28", "kilogram per square metre"), ("2N", "decibel"), ("2P", "kilobyte"),
    ("2X", "metre per minute"), ("4C", "centistokes"), ("4G", "microlitre"), ("4H", "micrometre"),
    ("4K", "milliampere"), ("4L", "megabyte"), ("4O", "microfarad"), ("4P", "newton per metre"),
    ("4T", "picofarad"), ("4W", "ton, register"), ("5A", "barrel (UK petroleum)"), ("5B", "batch"),
    ("A44", "decalitre"), ("A86", "gigahertz"), ("A90", "gigawatt"), ("A94", "gram per mole"),
    ("AB", "bulk pack"), ("ACR", "acre"), ("ACT", "activity"), ("AD", "byte"),
    ("AMH", "ampere hour"), ("AMP", "ampere"), ("ANN", "year"),
    ("APZ", "troy ounce or apothecary ounce"), ("AS", "assortment"),
    ("ASM", "alcoholic strength by mass"), ("ASU", "alcoholic strength by volume"),
    ("ATM", "standard atmosphere"), ("AWG", "american wire gauge"),
    ("B13", "joule per square metre"), ("B22", "kiloampere"), ("B32", "kilogram metre squared"),
    ("B49", "kiloohm"), ("B52", "kilosecond"), ("BAR", "bar [unit of pressure]"),
    ("BB", "base box"), ("BFT", "board foot"), ("BHP", "brake horse power"),
    ("BIL", "billion (EUR)"), ("BLL", "barrel (US)"), ("BP", "hundred board foot"),
    ("BQL", "becquerel"), ("BTU", "British thermal unit (international table)"),
    ("BUA", "bushel (US)"), ("BUI", "bushel (UK)"), ("C18", "millimole"),
    ("C24", "millipascal second"), ("C26", "millisecond"), ("C34", "mole"),
    ("C37", "number of carbon"), ("C45", "nanometre"), ("C62", "one"), ("C8", "millicoulomb"),
    ("CCT", "carrying capacity in metric ton"), ("CDL", "candela"), ("CEL", "degree Celsius"),
    ("CEN", "hundred"), ("CGM", "centigram"), ("CLF", "hundred leave"), ("CLT", "centilitre"),
    ("CMK", "square centimetre"), ("CMQ", "cubic centimetre"), ("CMT", "centimetre"),
    ("CNP", "hundred pack"), ("CNT", "cental (UK)"), ("COU", "coulomb"), ("CTM", "metric carat"),
    ("CUR", "curie"), ("CWA", "hundred pound (cwt) / hundred weight (US)"),
    ("CWI", "hundred weight (UK)"), ("DAA", "decare"), ("DAD", "ten day"), ("DAY", "day"),
    ("DB", "dry pound"), ("DD", "degree [unit of angle]"), ("DEC", "decade"), ("DG", "decigram"),
    ("DLT", "decilitre"), ("DMK", "square decimetre"), ("DMO", "standard kilolitre"),
    ("DMQ", "cubic decimetre"), ("DMT", "decimetre"), ("DPC", "dozen piece"),
    ("DPR", "dozen pair"), ("DPT", "displacement tonnage"), ("DRA", "dram (US)"),
    ("DRI", "dram (UK)"), ("DRL", "dozen roll"), ("DTN", "decitonne"), ("DWT", "pennyweight"),
    ("DZN", "dozen"), ("DZP", "dozen pack"), ("E14", "kilocalorie (international table)"),
    ("E27", "dose"), ("E34", "gigabyte"), ("E35", "terabyte"), ("E37", "pixel"),
    ("E48", "service unit"), ("E49", "working day"), ("E51", "job"), ("E53", "test"),
    ("E54", "trip"), ("E55", "use"), ("E99", "hit"), ("EA", "each"), ("EB", "electronic mail box"),
    ("F27", "gram per hour"), ("FAH", "degree Fahrenheit"), ("FAR", "farad"),
    ("FC", "thousand cubic foot"), ("FOT", "foot"), ("FTK", "square foot"), ("FTQ", "cubic foot"),
    ("GB", "gallon (US) per day"), ("GBQ", "gigabecquerel"), ("GDW", "gram, dry weight"),
    ("GE", "pound per gallon (US)"), ("GFI", "gram of fissile isotope"), ("GIA", "gill (US)"),
    ("GIC", "gram, including container"), ("GII", "gill (UK)"),
    ("GIP", "gram, including inner packaging"), ("GL", "gram per litre"),
    ("GLD", "dry gallon (US)"), ("GLI", "gallon (UK)"), ("GLL", "gallon (US)"),
    ("GM", "gram per square metre"), ("GRM", "gram"), ("GRN", "grain"), ("GRO", "gross"),
    ("GV", "gigajoule"), ("GWH", "gigawatt hour"), ("H87", "piece"), ("HA", "hank"),
    ("HBA", "hectobar"), ("HC", "hundred count"), ("HDW", "hundred kilogram, dry weight"),
    ("HGM", "hectogram"), ("HIU", "hundred international unit"), ("HLT", "hectolitre"),
    ("HMQ", "million cubic metre"), ("HMT", "hectometre"), ("HPA", "hectolitre of pure alcohol"),
    ("HTZ", "hertz"), ("HUR", "hour"), ("IE", "person"), ("INH", "inch"), ("INK", "square inch"),
    ("INQ", "cubic inch"), ("ISD", "international sugar degree"), ("J2", "joule per kilogram"),
    ("JOU", "joule"), ("K6", "kilolitre"), ("KA", "cake"), ("KAT", "katal"),
    ("KB", "kilocharacter"), ("KBA", "kilobar"), ("KCC", "kilogram of choline chloride"),
    ("KDW", "kilogram drained net weight"), ("KEL", "kelvin"), ("KGM", "kilogram"),
    ("KGS", "kilogram per second"), ("KHY", "kilogram of hydrogen peroxide"), ("KHZ", "kilohertz"),
    ("KIC", "kilogram, including container"), ("KIP", "kilogram, including inner packaging"),
    ("KJO", "kilojoule"), ("KLK", "lactic dry material percentage"),
    ("KMA", "kilogram of methylamine"), ("KMH", "kilometre per hour"), ("KMK", "square kilometre"),
    ("KMQ", "kilogram per cubic metre"), ("KMT", "kilometre"), ("KNI", "kilogram of nitrogen"),
    ("KNM", "kilonewton per square metre"), ("KNS", "kilogram named substance"), ("KNT", "knot"),
    ("KPA", "kilopascal"), ("KPH", "kilogram of potassium hydroxide (caustic potash)"),
    ("KPO", "kilogram of potassium oxide"),
    ("KPP", "kilogram of phosphorus pentoxide (phosphoric anhydride)"),
    ("KSD", "kilogram of substance 90 % dry"),
    ("KSH", "kilogram of sodium hydroxide (caustic soda)"), ("KT", "kit"), ("KTN", "kilotonne"),
    ("KUR", "kilogram of uranium"), ("KVA", "kilovolt - ampere"), ("KVR", "kilovar"),
    ("KVT", "kilovolt"), ("KWH", "kilowatt hour"), ("KWT", "kilowatt"), ("L2", "litre per minute"),
    ("LA", "pound per cubic foot"), ("LBR", "pound"), ("LBT", "troy pound (US)"), ("LEF", "leaf"),
    ("LF", "linear foot"), ("LH", "labour hour"), ("LK", "link"), ("LM", "linear metre"),
    ("LN", "length"), ("LO", "lot [unit of procurement]"), ("LP", "liquid pound"),
    ("LPA", "litre of pure alcohol"), ("LR", "layer"), ("LS", "lump sum"),
    ("LTN", "ton (UK) or long ton (US)"), ("LTR", "litre"), ("LUB", "metric ton, lubricating oil"),
    ("LUM", "lumen"), ("LUX", "lux"), ("MAH", "megavolt ampere reactive hour"),
    ("MAL", "megalitre"), ("MAM", "megametre"), ("MAR", "megavar"), ("MAW", "megawatt"),
    ("MBE", "thousand standard brick equivalent"), ("MBF", "thousand board foot"),
    ("MBR", "millibar"), ("MC", "microgram"), ("MCU", "millicurie"), ("MGM", "milligram"),
    ("MHZ", "megahertz"), ("MIK", "square mile (statute mile)"), ("MIL", "thousand"),
    ("MIN", "minute [unit of time]"), ("MIO", "million"), ("MIU", "million international unit"),
    ("MLT", "millilitre"), ("MMK", "square millimetre"), ("MMQ", "cubic millimetre"),
    ("MMT", "millimetre"), ("MON", "month"), ("MPA", "megapascal"),
    ("MQH", "cubic metre per hour"), ("MQS", "cubic metre per second"),
    ("MSK", "metre per second squared"), ("MTK", "square metre"), ("MTQ", "cubic metre"),
    ("MTR", "metre"), ("MTS", "metre per second"), ("MVA", "megavolt - ampere"),
    ("MWH", "megawatt hour (1000 kW.h)"), ("NAR", "number of articles"), ("NEW", "newton"),
    ("NIL", "nil"), ("NIU", "number of international units"), ("NL", "load"),
    ("NMI", "nautical mile"), ("NMP", "number of packs"), ("NPT", "number of parts"),
    ("NT", "net ton"), ("NU", "newton metre"), ("OA", "panel"), ("ODE", "ounce per square yard"),
    ("OHM", "ohm"), ("ONZ", "ounce (avoirdupois)"), ("OT", "overtime hour"),
    ("OZA", "fluid ounce (US)"), ("OZI", "fluid ounce (UK)"), ("P1", "percent"), ("PAL", "pascal"),
    ("PD", "pad"), ("PFL", "proof litre"), ("PGL", "proof gallon"), ("PI", "pitch"),
    ("PLA", "degree Plato"), ("PO", "pound per inch of length"), ("PQ", "page per inch"),
    ("PR", "pair"), ("PS", "pound-force per square inch"), ("PTD", "dry pint (US)"),
    ("PTI", "pint (UK)"), ("PTL", "liquid pint (US)"), ("PTN", "portion"), ("Q3", "meal"),
    ("QA", "page - facsimile"), ("QAN", "quarter (of a year)"), ("QB", "page - hardcopy"),
    ("QR", "quire"), ("QTD", "dry quart (US)"), ("QTI", "quart (UK)"),
    ("QTL", "liquid quart (US)"), ("R1", "pica"), ("R9", "thousand cubic metre"),
    ("RH", "running or operating hour"), ("RM", "ream"), ("ROM", "room"), ("RP", "pound per ream"),
    ("RPM", "revolutions per minute"), ("RPS", "revolutions per second"),
    ("RT", "revenue ton mile"), ("S4", "square metre per second"), ("SAN", "half year (6 months)"),
    ("SCO", "score"), ("SCR", "scruple"), ("SEC", "second [unit of time]"), ("SET", "set"),
    ("SG", "segment"), ("SIE", "siemens"), ("SM3", "Standard cubic metre"),
    ("SMI", "mile (statute mile)"), ("SQ", "square"), ("SQR", "square, roofing"), ("SR", "strip"),
    ("STC", "stick"), ("STI", "stone (UK)"), ("STK", "stick, cigarette"),
    ("STL", "standard litre"), ("STN", "ton (US) or short ton (UK/US)"), ("STW", "straw"),
    ("SW", "skein"), ("SX", "shipment"), ("SYR", "syringe"),
    ("T0", "telecommunication line in service"), ("T3", "thousand piece"),
    ("TAH", "kiloampere hour (thousand ampere hour)"), ("TAN", "total acid number"),
    ("TIC", "metric ton, including container"), ("TIP", "metric ton, including inner packaging"),
    ("TKM", "tonne kilometre"), ("TMS", "kilogram of imported meat, less offal"),
    ("TNE", "tonne (metric ton)"), ("TP", "ten pack"), ("TPI", "teeth per inch"),
    ("TPR", "ten pair"), ("TQD", "thousand cubic metre per day"), ("TRL", "trillion (EUR)"),
    ("TST", "ten set"), ("TTS", "ten thousand sticks"), ("U1", "treatment"), ("U2", "tablet"),
    ("UB", "telecommunication line in service average"), ("UC", "telecommunication port"),
    ("VA", "volt - ampere per kilogram"), ("VLT", "volt"), ("VP", "percent volume"),
    ("W2", "wet kilo"), ("WA", "watt per kilogram"), ("WB", "wet pound"), ("WCD", "cord"),
    ("WE", "wet ton"), ("WEB", "weber"), ("WEE", "week"), ("WG", "wine gallon"),
    ("WHR", "watt hour"), ("WM", "working month"), ("WSD", "standard"), ("WTT", "watt"),
    ("X1", "Gunter's chain"), ("XAE", "aerosol"), ("XAM", "ampoule, non-protected"),
    ("XAP", "ampoule, protected"), ("XAT", "atomizer"), ("XBA", "barrel"),
    ("XBC", "bottlecrate / bottlerack"), ("XBD", "board"), ("XBE", "bundle"), ("XBG", "bag"),
    ("XBH", "bunch"), ("XBI", "bin"), ("XBJ", "bucket"), ("XBK", "basket"),
    ("XBL", "bale, compressed"), ("XBN", "bale, non-compressed"),
    ("XBO", "bottle, non-protected, cylindrical"), ("XBQ", "bottle, protected cylindrical"),
    ("XBR", "bar"), ("XBT", "bolt"), ("XBU", "butt"), ("XBX", "box"),
    ("XBZ", "bars, in bundle/bunch/truss"), ("XCA", "can, rectangular"), ("XCB", "crate, beer"),
    ("XCG", "cage"), ("XCH", "chest"), ("XCI", "canister"), ("XCL", "coil"),
    ("XCN", "container, not otherwise specified as transport equipment"), ("XCR", "crate"),
    ("XCS", "case"), ("XCT", "carton"), ("XCU", "cup"), ("XCX", "can, cylindrical"),
    ("XCY", "cylinder"), ("XDJ", "demijohn, non-protected"), ("XDR", "drum"), ("XEN", "envelope"),
    ("XFC", "crate, fruit"), ("XFI", "firkin"), ("XFL", "flask"), ("XFO", "footlocker"),
    ("XHR", "hamper"), ("XIN", "ingot"), ("XJC", "jerrican, rectangular"), ("XJG", "jug"),
    ("XJR", "jar"), ("XJY", "jerrican, cylindrical"), ("XKG", "keg"), ("XLG", "log"),
    ("XLT", "lot"), ("XLV", "liftvan"), ("XMB", "bag, multiply"), ("XMC", "crate, milk"),
    ("XMT", "mat"), ("XNE", "unpacked or unpackaged"), ("XNT", "net"), ("XOS", "pack"),
    ("XPA", "packet"), ("XPB", "pallet, box"), ("XPC", "parcel"), ("XPG", "plate"),
    ("XPH", "pitcher"), ("XPI", "pipe"), ("XPK", "package"), ("XPL", "pail"), ("XPO", "pouch"),
    ("XPT", "pot"), ("XPU", "tray"), ("XPX", "pallet"), ("XRD", "rod"), ("XRG", "ring"),
    ("XRL", "reel"), ("XRO", "roll"), ("XRT", "rednet"), ("XSA", "sack"),
    ("XSC", "crate, shallow"), ("XSD", "spindle"), ("XSH", "sachet"), ("XSI", "skid"),
    ("XSK", "case, skeleton"), ("XSL", "slipsheet"), ("XSM", "sheetmetal"), ("XST", "sheet"),
    ("XSU", "suitcase"), ("XSW", "shrinkwrapped"), ("XTB", "tub"), ("XTC", "tea-chest"),
    ("XTD", "tube, collapsible"), ("XTI", "tierce"), ("XTK", "tank, rectangular"), ("XTN", "tin"),
    ("XTO", "tun"), ("XTR", "trunk"), ("XTS", "truss"), ("XTU", "tube"),
    ("XTY", "tank, cylindrical"), ("XTZ", "tubes, in bundle/bunch/truss"), ("XVA", "vat"),
    ("XVI", "vial"), ("XVL", "bulk, liquid"), ("XVP", "vacuum-packed"),
    ("XVR", "bulk, solid, granular particles (\"grains\")"),
    ("XWA", "intermediate bulk container"), ("XZZ", "mutually defined"), ("YDK", "square yard"),
    ("YDQ", "cubic yard"), ("YRD", "yard"), ("Z11", "hanging container"), ("ZP", "page"),
    ("ZZ", "mutually defined"),
];

/// All known units: common code and English name, by code.
#[must_use]
pub const fn all() -> &'static [(&'static str, &'static str)] {
    UNITS
}

/// The English name of a unit.
#[must_use]
pub fn name(code: &str) -> Option<&'static str> {
    let found = UNITS.binary_search_by(|(known, _)| (*known).cmp(code));
    found
        .ok()
        .and_then(|at| UNITS.get(at))
        .map(|(_, name)| *name)
}

/// Checks a common code; the normal form is upper case.
///
/// # Errors
/// If the list doesn't have it.
pub fn check(value: &str) -> Result<Normalised, Problem> {
    let code = value.trim().to_ascii_uppercase();
    if name(&code).is_some() {
        return Ok(Normalised::new(code));
    }
    Err(Problem::code_list(
        STANDARD,
        format!("{:?} is no common code of a unit", shorten(value)),
    ))
}
