/* A conformance subject in C99: B-splines over JSON lines.
 *
 *   cc -O1 -o subject docs/conformance_examples/subject.c
 *   python -m kan_ref.conformance --program ./subject
 *
 * to it    {"id":7,"method":"basis","args":{"x":[0.5],"knots":[0,1,2],"degree":1}}
 * from it  {"id":7,"result":[[0.5]]}, or {"id":8,"unsupported":true} for all other methods
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NUMBERS = 10000, MOST_CHARACTERS = 10000000 };
static double x[MOST_NUMBERS], t[MOST_NUMBERS], b[MOST_NUMBERS];
static char line[MOST_CHARACTERS];

/* Read the list of numbers behind a key, such as "x":[; "NaN" has quotes. Return how many there are. */
static int read_numbers(const char *key, double *values) {
    int n = 0;
    char *at = strstr(line, key) + strlen(key);
    for (; *at != ']'; at += strspn(at, ",\" ")) values[n++] = strtod(at + strspn(at, "\""), &at);
    return n;
}

static double ratio(double p, double q) { return q > 0.0 ? p / q : 0.0; } /* 0/0 := 0 */

/* All n_knots - degree - 1 B-splines at u: the recursion of Cox and de Boor. */
static void basis(double u, int n_knots, int degree) {
    int last = 0; /* the last interval that is not empty is closed on the right */
    for (int m = 0; m + 1 < n_knots; m++) {
        if (t[m] < t[m + 1]) last = m;
        b[m] = isnan(u) ? u : t[m] <= u && u < t[m + 1];
    }
    if (u == t[n_knots - 1]) b[last] = 1.0;
    for (int d = 1; d <= degree; d++)
        for (int m = 0; m + 1 + d < n_knots; m++)
            b[m] = ratio(u - t[m], t[m + d] - t[m]) * b[m] + ratio(t[m + d + 1] - u, t[m + d + 1] - t[m + 1]) * b[m + 1];
}

int main(void) {
    while (fgets(line, sizeof line, stdin)) {
        const char *id = strstr(line, "\"id\":"), *degree = strstr(line, "\"degree\":");
        if (!id) {
            printf("{\"result\":{\"name\":\"example in C\"}}\n"); /* hello */
        } else if (!strstr(line, "\"method\":\"basis\"")) {
            printf("{\"id\":%d,\"unsupported\":true}\n", atoi(id + 5));
        } else {
            int n = read_numbers("\"x\":[", x), n_knots = read_numbers("\"knots\":[", t), k = atoi(degree + 9);
            printf("{\"id\":%d,\"result\":[", atoi(id + 5));
            for (int i = 0; i < n; i++) {
                basis(x[i], n_knots, k);
                for (int m = 0; m + k + 1 < n_knots; m++) printf("%s%.17g", m ? "," : i ? "],[" : "[", b[m]);
            }
            printf(n ? "]]}\n" : "]}\n");
        }
        fflush(stdout);
    }
}
