import type { CreateRequest, Driver, DriverStatus, Endpoints, MachineHandle } from '../driver.ts';
import { FailedPrecondition, PreCreateError } from '../errors.ts';
import { textOption } from '../options.ts';

export interface NoneState {
  readonly url: string;
}

/** A host that somebody else looks after: `machine` remembers where it is and never touches it. */
export class NoneDriver implements Driver<NoneState> {
  readonly name = 'none';
  readonly features = { power: false, bootsOsImage: false, hello: false, ssh: false, local: false };
  readonly options = [
    { flag: 'url', value: 'URL', description: 'where the Docker API is, such as tcp://10.0.0.5:2376' },
  ];

  async preCreate(request: CreateRequest): Promise<void> {
    urlOf(request);
  }

  async create(request: CreateRequest, record: (state: NoneState) => Promise<void>): Promise<NoneState> {
    const state = { url: urlOf(request).url };
    await record(state);
    return state;
  }

  async start(): Promise<NoneState> {
    throw noPower('start');
  }

  async stop(): Promise<void> {
    throw noPower('stop');
  }

  async kill(): Promise<void> {
    throw noPower('kill');
  }

  /** Nothing was made, so nothing is removed: the host goes on. */
  async remove(): Promise<void> {}

  /** Always `running`: whether the host answers is for the caller to ask of its API. */
  async status(): Promise<DriverStatus> {
    return { status: 'running' };
  }

  async endpoints(machine: MachineHandle<NoneState>): Promise<Endpoints> {
    const { url } = machine.state;
    return { url, ip: hostOf(new URL(url)) };
  }
}

function noPower(verb: string): FailedPrecondition {
  return new FailedPrecondition(`driver none cannot ${verb} a host; it only remembers its URL`);
}

function urlOf(request: CreateRequest): Endpoints {
  const text = textOption(request.options, 'url');
  if (text === undefined)
    throw new PreCreateError('driver none needs --url, such as --url tcp://10.0.0.5:2376');
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'tcp:' || url.hostname === '' || url.port === '' || !text.endsWith(`//${url.host}`))
    throw new PreCreateError(`--url "${text}" is not of the form tcp://HOST:PORT`);
  return { url: `tcp://${url.host}`, ip: hostOf(url) };
}

/** `[::1]` is how a URL writes `::1`. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
