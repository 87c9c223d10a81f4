/** Numbers as chown(2) takes them. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Of chown(2): the number is to stay. */
export const sameNumber = 0xffffffff;
