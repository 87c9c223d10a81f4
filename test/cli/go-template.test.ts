import t from 'tap';
import { parseTemplate } from '../../cli/go-template.ts';
import { InvalidArgument } from '../../drivers/errors.ts';

const data = {
  Name: 'dev',
  N: 2,
  On: true,
  Nothing: null,
  List: ['a', 'b'],
  Driver: { IP: '1.2.3.4', Z: 1 },
};

t.test('fields are filled in as Go prints them', async (t) => {
  const rows: [string, string][] = [
    ['plain', 'plain'],
    ['{{.Name}}', 'dev'],
    ['{{ .Name }}: {{.Driver.IP}}!', 'dev: 1.2.3.4!'],
    ['{{.N}} {{.On}} {{.Nothing}} {{.List}} {{.Driver}}', '2 true <nil> [a b] map[IP:1.2.3.4 Z:1]'],
    ['{{json .List}}', '["a","b"]'],
    ['{{.List | json}}', '["a","b"]'],
    ['{{json .Driver.IP}}', '"1.2.3.4"'],
    ['{{prettyjson .Driver}}', '{\n    "IP": "1.2.3.4",\n    "Z": 1\n}'],
    ['{{json .}}', JSON.stringify(data)],
    ['a  {{- .N -}}  b', 'a2b'],
  ];
  for (const [source, expected] of rows) t.equal(parseTemplate(source).render(data), expected, source);
});

t.test('what is not understood is refused by name', async (t) => {
  for (const source of [
    '{{range .List}}',
    '{{if .On}}',
    '{{.Name | upper}}',
    '{{len .List}}',
    '{{}}',
    '{{.Name',
  ])
    t.throws(() => parseTemplate(source), { name: InvalidArgument.name }, source);
});

t.test('a field that is not there is refused with those that are', async (t) => {
  const render = (source: string) => () => parseTemplate(source).render(data);
  t.throws(render('{{.Driver.Nope}}'), { message: 'there is no field ".Driver.Nope"; there are IP, Z' });
  t.throws(render('{{.Name.More}}'), { message: /there are none below it/ });
  t.throws(render('{{.constructor}}'), { name: InvalidArgument.name });
});
