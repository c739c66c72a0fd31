/* A conformance subject in plain C99: B-splines and layers over JSON lines, no library but libm.
 *
 *   cc -O1 -o subject docs/conformance_examples/subject.c -lm
 *   python -m kan_ref.conformance --program ./subject
 *
 * A request is one line, {"id": 7, "method": "basis", "args": {"x": [...], "knots": [...], "degree": 3}}; so is the answer,
 * {"id": 7, "result": [[...], ...]} or {"id": 7, "unsupported": true}. Numbers are written with 17 digits, which is exact.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading: just as much JSON as a request holds */

typedef struct {
    double *values;
    size_t n;
} Numbers; /* the numbers of nested lists, flat; their shape follows from the other arguments */

static void fail(const char *why) {
    fprintf(stderr, "subject: %s\n", why);
    exit(1);
}

static void *grown(void *memory, size_t bytes) {
    void *found = realloc(memory, bytes ? bytes : 1);
    if (!found) fail("out of memory");
    return found;
}

/* The value of a key, wherever it stands: names are unique in a request. */
static const char *find(const char *text, const char *key) {
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *place = strstr(text, quoted);
    return place ? place + strlen(quoted) : NULL;
}

static Numbers read_numbers(const char *text, const char *key) {
    Numbers found = {NULL, 0};
    size_t room = 0;
    const char *at = find(text, key);
    if (!at) fail("an argument is missing");
    int depth = 0;
    do {
        if (*at == '[') { depth++; at++; }
        else if (*at == ']') { depth--; at++; }
        else if (*at == ',' || *at == ' ' || *at == '"') at++; /* "NaN" is a number, too */
        else {
            char *end;
            double value = strtod(at, &end);
            if (end == at) fail("an argument is no list of numbers");
            if (found.n == room) found.values = grown(found.values, (room = 2 * room + 16) * sizeof(double));
            found.values[found.n++] = value;
            at = end;
        }
    } while (depth > 0);
    return found;
}

static int read_integer(const char *text, const char *key) {
    const char *at = find(text, key);
    if (!at) fail("an argument is missing");
    return atoi(at);
}

static int is_word(const char *text, const char *key, const char *word) {
    const char *at = find(text, key);
    while (at && *at == ' ') at++;
    return at && *at == '"' && strncmp(at + 1, word, strlen(word)) == 0 && at[1 + strlen(word)] == '"';
}

/* A number as JSON, with 17 digits, which is exact; JSON has no words for numbers that are not finite. */
static void print_number(double value) {
    if (isnan(value)) printf("\"NaN\"");
    else if (isinf(value)) printf(value > 0.0 ? "\"Infinity\"" : "\"-Infinity\"");
    else printf("%.17g", value);
}

/* --- B-splines */

static double ratio(double a, double b) { return b > 0.0 ? a / b : 0.0; } /* 0/0 := 0 */

/* All n_knots - degree - 1 B-splines at x, in a table of n_knots - 1 places. */
static void basis(double x, const double *t, size_t n_knots, int degree, double *b) {
    size_t last = 0; /* the last interval that is not empty is closed on the right */
    for (size_t m = 0; m + 1 < n_knots; m++) {
        if (t[m] < t[m + 1]) last = m;
        b[m] = isnan(x) ? x : t[m] <= x && x < t[m + 1];
    }
    if (x == t[n_knots - 1]) b[last] = 1.0;
    for (int d = 1; d <= degree; d++)
        for (size_t m = 0; m + 1 + d < n_knots; m++)
            b[m] = ratio(x - t[m], t[m + d] - t[m]) * b[m] + ratio(t[m + d + 1] - x, t[m + d + 1] - t[m + 1]) * b[m + 1];
}

static void answer_basis(const char *line) {
    Numbers x = read_numbers(line, "x"), t = read_numbers(line, "knots");
    int degree = read_integer(line, "degree");
    double *b = grown(NULL, t.n * sizeof(double));
    printf("[");
    for (size_t n = 0; n < x.n; n++) {
        basis(x.values[n], t.values, t.n, degree, b);
        printf(n ? ",[" : "[");
        for (size_t m = 0; m + degree + 1 < t.n; m++) {
            if (m) printf(",");
            print_number(b[m]);
        }
        printf("]");
    }
    printf("]");
    free(x.values), free(t.values), free(b);
}

/* --- layers: y_j = sum_i mask_ji (w_base_ji b(x_i) + w_spline_ji sum_m coef_jim B_m(x_i)) */

static double base_function(const char *line, double x) {
    if (is_word(line, "base", "identity")) return x;
    return is_word(line, "base", "silu") ? x / (1.0 + exp(-x)) : 0.0;
}

static void answer_layer(const char *line) {
    Numbers knots = read_numbers(line, "knots"), coef = read_numbers(line, "coef"), mask = read_numbers(line, "mask");
    Numbers w_base = read_numbers(line, "w_base"), w_spline = read_numbers(line, "w_spline"), x = read_numbers(line, "x");
    int degree = read_integer(line, "degree");
    size_t n_edges = mask.n, n_basis = coef.n / n_edges, n_knots = n_basis + degree + 1;
    size_t n_in = knots.n / n_knots, n_out = n_edges / n_in, batch = x.n / n_in;
    double *b = grown(NULL, n_knots * sizeof(double)), *y = grown(NULL, n_out * sizeof(double));
    printf("[");
    for (size_t s = 0; s < batch; s++) {
        for (size_t j = 0; j < n_out; j++) y[j] = 0.0;
        for (size_t i = 0; i < n_in; i++) {
            double at = x.values[s * n_in + i], base = base_function(line, at);
            basis(at, knots.values + i * n_knots, n_knots, degree, b);
            for (size_t j = 0; j < n_out; j++) {
                size_t edge = j * n_in + i;
                double spline = 0.0;
                for (size_t m = 0; m < n_basis; m++) spline += coef.values[edge * n_basis + m] * b[m];
                y[j] += mask.values[edge] * (w_base.values[edge] * base + w_spline.values[edge] * spline);
            }
        }
        printf(s ? ",[" : "[");
        for (size_t j = 0; j < n_out; j++) {
            if (j) printf(",");
            print_number(y[j]);
        }
        printf("]");
    }
    printf("]");
    free(knots.values), free(coef.values), free(mask.values), free(w_base.values), free(w_spline.values), free(x.values), free(b), free(y);
}

/* --- one line after another */

static char *read_line(void) {
    static char *line = NULL;
    static size_t room = 0;
    size_t n = 0;
    int c;
    while ((c = getchar()) != EOF && c != '\n') {
        if (n + 1 >= room) line = grown(line, room = 2 * room + 4096);
        line[n++] = (char)c;
    }
    if (c == EOF && n == 0) return NULL;
    line[n] = '\0';
    return line;
}

int main(void) {
    const char *line;
    while ((line = read_line())) {
        if (is_word(line, "method", "hello")) {
            printf("{\"result\":{\"name\":\"example in C\"}}\n");
        } else {
            int id = read_integer(line, "id");
            if (is_word(line, "method", "basis")) {
                printf("{\"id\":%d,\"result\":", id);
                answer_basis(line);
                printf("}\n");
            } else if (is_word(line, "method", "layer_forward")) {
                printf("{\"id\":%d,\"result\":", id);
                answer_layer(line);
                printf("}\n");
            } else {
                printf("{\"id\":%d,\"unsupported\":true}\n", id);
            }
        }
        fflush(stdout);
    }
    return 0;
}
