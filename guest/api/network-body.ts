import * as z from 'zod';
import { Forbidden, InvalidParameter, NotImplemented } from '../errors.ts';
import type { NetworkRequest } from '../network/definition/network-request.ts';
import { endpointBody } from '../schema/container.ts';
import { noSwarm } from './routes/swarm-stubs.ts';

const words = z.record(z.string(), z.string()).nullish();

/** `POST /networks/create`. */
export const networkCreateBody = z.looseObject({
  Name: z.string(),
  Driver: z.string().nullish(),
  Scope: z.string().nullish(),
  Internal: z.boolean().nullish(),
  Attachable: z.boolean().nullish(),
  Ingress: z.boolean().nullish(),
  ConfigOnly: z.boolean().nullish(),
  ConfigFrom: z.looseObject({ Network: z.string().nullish() }).nullish(),
  EnableIPv4: z.boolean().nullish(),
  EnableIPv6: z.boolean().nullish(),
  IPAM: z
    .looseObject({
      Driver: z.string().nullish(),
      Options: words,
      Config: z
        .array(
          z.looseObject({
            Subnet: z.string().nullish(),
            IPRange: z.string().nullish(),
            Gateway: z.string().nullish(),
            AuxiliaryAddresses: words,
          }),
        )
        .nullish(),
    })
    .nullish(),
  Options: words,
  Labels: words,
});

/** `POST /networks/{id}/connect`. */
export const connectBody = z.looseObject({
  Container: z.string(),
  EndpointConfig: endpointBody.nullish(),
});

/** `POST /networks/{id}/disconnect`. */
export const disconnectBody = z.looseObject({ Container: z.string(), Force: z.boolean().nullish() });

/** Throws NotImplemented, Forbidden or InvalidParameter for what this engine's networks do not have. */
export function networkRequest(body: z.infer<typeof networkCreateBody>): NetworkRequest {
  const { IPAM: ipam } = body;
  if (body.Ingress || body.Driver === 'overlay' || (body.Scope && body.Scope !== 'local')) {
    throw new Forbidden(noSwarm);
  }
  if (body.ConfigOnly || body.ConfigFrom?.Network)
    throw new NotImplemented(
      'this engine has no configuration-only networks; give each docker network create its options',
    );
  if (ipam?.Driver && ipam.Driver !== 'default') {
    throw new InvalidParameter(`IPAM driver "${ipam.Driver}" not found; this engine has "default"`);
  }
  const [option] = Object.keys(ipam?.Options ?? {});
  if (option !== undefined) throw new InvalidParameter(`unknown IPAM option "${option}"`);
  return {
    name: body.Name,
    driver: body.Driver || 'bridge',
    enableIpv4: body.EnableIPv4 ?? true,
    enableIpv6: body.EnableIPv6 ?? false,
    internal: body.Internal ?? false,
    attachable: body.Attachable ?? false,
    labels: body.Labels ?? {},
    options: body.Options ?? {},
    addressing: (ipam?.Config ?? []).map((config) => ({
      subnet: config.Subnet ?? undefined,
      range: config.IPRange ?? undefined,
      gateway: config.Gateway ?? undefined,
      auxiliary: config.AuxiliaryAddresses ?? {},
    })),
  };
}

/** What dockerd accepts and does not use: blocks of a family that is not enabled. Empty when there is none. */
export function unusedAddressing({ enableIpv4, enableIpv6, addressing }: NetworkRequest): string {
  const unused = addressing
    .map(({ subnet = '' }) => subnet)
    .filter((subnet) => subnet !== '' && !(subnet.includes(':') ? enableIpv6 : enableIpv4));
  return unused.length > 0 ? `not used, since their family is not enabled: ${unused.join(', ')}` : '';
}
