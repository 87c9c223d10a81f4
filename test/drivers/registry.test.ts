import t from 'tap';
import { InvalidArgument } from '../../drivers/errors.ts';
import { driverNames, loadDriver } from '../../drivers/registry.ts';

t.test('every driver in the table loads, under its name, with flags of its own', async (t) => {
  const flags = new Set<string>();
  for (const name of driverNames) {
    const driver = await loadDriver(name);
    t.equal(driver.name, name);
    for (const { flag } of driver.options) {
      t.notOk(flags.has(flag), `--${flag} belongs to one driver`);
      flags.add(flag);
    }
  }
});

t.test('an unknown driver is refused with the list of known ones', async (t) => {
  await t.rejects(
    loadDriver('virtualbox'),
    new InvalidArgument(`no driver "virtualbox"; there are ${driverNames.join(', ')}`),
  );
  await t.rejects(loadDriver('constructor'), InvalidArgument);
});
