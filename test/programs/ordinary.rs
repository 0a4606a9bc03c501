// What programs in Rust do: collections, traits, closures, recursion, text, files, standard input, panics. Prints the same wherever it runs.
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{self, BufRead, Write};
use std::rc::Rc;

enum Expression {
    Number(f64),
    Binary(Box<Expression>, u8, Box<Expression>),
}

fn parse(text: &[u8], at: &mut usize, least: u8) -> Expression {
    let mut left = if text[*at] == b'(' {
        *at += 1;
        let inner = parse(text, at, 0);
        *at += 1;
        inner
    } else {
        let from = *at;
        while *at < text.len() && text[*at].is_ascii_digit() {
            *at += 1;
        }
        Expression::Number(std::str::from_utf8(&text[from..*at]).unwrap().parse().unwrap())
    };
    while *at < text.len() {
        let binds = match text[*at] {
            b'+' | b'-' => 1,
            b'*' | b'/' => 2,
            _ => break,
        };
        if binds <= least {
            break;
        }
        let operator = text[*at];
        *at += 1;
        left = Expression::Binary(Box::new(left), operator, Box::new(parse(text, at, binds)));
    }
    left
}

fn value(expression: &Expression) -> f64 {
    match expression {
        Expression::Number(number) => *number,
        Expression::Binary(a, operator, b) => match (operator, value(a), value(b)) {
            (b'+', a, b) => a + b,
            (b'-', a, b) => a - b,
            (b'*', a, b) => a * b,
            (_, a, b) => a / b,
        },
    }
}

trait Shape {
    fn area(&self) -> f64;
}
struct Circle(f64);
struct Square(f64);
impl Shape for Circle {
    fn area(&self) -> f64 {
        std::f64::consts::PI * self.0 * self.0
    }
}
impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

fn ackermann(m: u64, n: u64) -> u64 {
    match (m, n) {
        (0, n) => n + 1,
        (m, 0) => ackermann(m - 1, 1),
        (m, n) => ackermann(m - 1, ackermann(m, n - 1)),
    }
}

fn main() {
    let count: u64 = std::env::args().nth(1).expect("how much").parse().expect("a number");
    let mut random = 12345u64;
    let mut histogram: HashMap<u64, u64> = HashMap::new();
    for _ in 0..count {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *histogram.entry(random >> 54).or_insert(0) += 1;
    }
    let sorted: BTreeMap<u64, u64> = histogram.into_iter().collect();
    println!("{} values, the last {:?}", sorted.len(), sorted.iter().next_back());

    let mut queue: VecDeque<u64> = VecDeque::from(vec![1]);
    let mut sum = 0u128;
    while let Some(next) = queue.pop_front() {
        sum += (next as u128).pow(2);
        if next < count {
            queue.extend([2 * next, 2 * next + 1]);
        }
    }
    println!("sum {}", sum);

    println!("value {}", value(&parse(b"1+2*(3+4)*5-6/4", &mut 0, 0)));
    let shapes: Vec<Box<dyn Shape>> = (0..1000)
        .map(|i| if i % 2 == 0 { Box::new(Circle(i as f64)) as Box<dyn Shape> } else { Box::new(Square(i as f64)) })
        .collect();
    let area: f64 = (0..count / 1000).flat_map(|_| shapes.iter().map(|shape| shape.area())).sum();
    println!("area {:.3}, ackermann {}", area, ackermann(2, 2000));

    let mut words: Vec<String> = (0..count / 4).map(|i| format!("{:x}", i.wrapping_mul(2654435761) % 1000003)).collect();
    words.sort();
    words.dedup();
    println!("{} words, {} in the middle", words.len(), words[words.len() / 2]);
    let shared = Rc::new(RefCell::new(0u64));
    let add = { let shared = shared.clone(); move |more: u64| *shared.borrow_mut() ^= more.rotate_left(7) };
    (0..count).for_each(add);
    println!("shared {}", shared.borrow());

    for line in io::stdin().lock().lines() {
        println!("read {}", line.unwrap().to_uppercase());
    }
    let mut file = std::fs::File::create("written.txt").unwrap();
    writeln!(file, "é {}", count).unwrap();
    drop(file);
    print!("file {}", std::fs::read_to_string("written.txt").unwrap());
    println!("{:?}", std::fs::read_dir("nowhere").map(|_| ()).map_err(|error| error.kind()));
    if count % 2 == 1 {
        println!("{}", words[count as usize]);
    }
    std::process::exit(3);
}
