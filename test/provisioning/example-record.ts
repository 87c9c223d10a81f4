import { configVersion, type HostOptions, type MachineRecord } from '../../provisioning/machine-record.ts';

export function exampleHostOptions(): HostOptions {
  return {
    EngineOptions: { Labels: ['a=b'], InsecureRegistry: [], RegistryMirror: [], Env: ['X=1=2'] },
    SwarmOptions: {
      IsSwarm: false,
      Master: false,
      Discovery: '',
      Address: '',
      Host: '',
      Image: '',
      Strategy: '',
      ArbitraryFlags: [],
      ArbitraryJoinFlags: [],
      IsExperimental: false,
    },
    AuthOptions: { ServerCertSANs: ['dev.example'] },
  };
}

export function exampleRecord(name = 'dev'): MachineRecord {
  return {
    ConfigVersion: configVersion,
    Name: name,
    DriverName: 'fake',
    Phase: 'created',
    CreatedAt: '2026-01-02T03:04:05.000Z',
    Driver: { failAt: null, hangAt: null, url: 'tcp://127.0.0.1:2376' },
    OsImage: null,
    OsImageExtras: [],
    SuspendAfterMs: null,
    Engine: { Version: '0.1.0', ApiVersion: '1.50' },
    MountType: 'sftp',
    Mounts: [{ Host: '/home/me', Guest: '/home/me', ReadOnly: false }],
    HostOptions: exampleHostOptions(),
  };
}
